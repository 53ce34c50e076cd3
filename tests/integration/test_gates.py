"""Every kind of defect planted at every gate: the gate fails, names what and which rows, never a student."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import dagster as dg
import duckdb
import openpyxl
import pytest

from orchestration.automation.jobs import job_name
from orchestration.definitions import build_defs
from orchestration.validation import checks, gates, workers
from orchestration.validation.gates import EXPECTATIONS, ROOMS, Report, validate
from orchestration.validation.judging import Task
from orchestration.validation.running import NOT_COMPARED, PASSED, Outcome
from tests.support.determinations import changed
from tests.support.gates import YEAR, YEARS, altered, built_state, failures, file_of, gate
from tests.support.planted import DEFECTS, DOUBLED, MISSING, STATE, WITHOUT_ROWS, every, first
from tests.support.workshop import Workshop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return built_state(tmp_path_factory.mktemp("gates"))


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("year", YEARS)
def test_a_clean_state_passes_every_gate(shop: Workshop, room: str, year: int) -> None:
    report = gate(shop, room, year)
    assert report.faults == []
    assert report.passed
    looked_at = [o for o in report.outcomes if o.status == PASSED]
    assert {o.table for o in looked_at} == set(ROOMS[room]["student"])
    assert all(o.checked > 0 for o in looked_at), "an expectation that looked at nothing says so"
    assert (report.folder / "report.html").read_text().count("<section") == len(ROOMS[room]["student"])


@pytest.mark.parametrize(("room", "table", "query", "expected"), DEFECTS, ids=[f"{d[0]}-{d[3]}" for d in DEFECTS])
def test_a_planted_defect_fails_its_gate_and_names_its_rows(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch, room: str, table: str, query: str, expected: str
) -> None:
    # the other suites of the room have nothing to do with it, and each takes its time
    monkeypatch.setitem(ROOMS, room, {"student": (expected.split(".")[0],)})
    with altered(shop, table, query):
        report = gate(shop, room)
    assert not report.passed
    found = failures(report)
    assert expected in found, sorted(found)
    assert any(line.startswith(f"{expected}: ") for line in report.faults)
    assert "The run stops here." in (report.folder / "report.html").read_text()
    book = openpyxl.load_workbook(report.folder / "failing_rows.xlsx", read_only=True)
    sheets = {f"{row[1]}.{row[2]}": row[0] for row in book["summary"].iter_rows(values_only=True)}
    assert expected in sheets
    outcome = found[expected]
    if expected not in WITHOUT_ROWS:
        assert outcome.rows
        assert set(outcome.key) <= set(outcome.columns), "every failing row comes with its key"
        rows = list(book[sheets[expected]].iter_rows(values_only=True))
        assert rows[0] == outcome.columns
        assert len(rows) == 1 + len(outcome.rows)
    if room == "source":
        told = (report.folder / "report.json").read_text()
        students = duckdb.sql(f"SELECT DISTINCT sasid FROM '{file_of(shop, 'raw_sims/october_1')}'").fetchall()
        assert not [student for (student,) in students if student in told], "no student identifier is told"


def test_a_missing_table_fails_the_gate(shop: Workshop) -> None:
    for room, table in (("indicators", "organisations"), ("determinations", "determinations"), ("source", "raw_mcas")):
        path = file_of(shop, table)
        aside = path.rename(path.with_name("aside"))
        try:
            report = gate(shop, room)
        finally:
            aside.rename(path)
        assert not report.passed
        assert any(table.removeprefix("raw_") in line for line in report.faults)


def test_a_collection_without_a_delivery_in_force_fails_the_gate(shop: Workshop, tmp_path: Path) -> None:
    shutil.copytree(shop.settings.home, tmp_path / "home", symlinks=True)
    other = Workshop(tmp_path)
    shutil.rmtree(tmp_path / "home" / "manifest" / str(YEAR) / "mcas")
    report = gate(other, "source")
    assert "raw_mcas.table" in failures(report)
    assert "raw_collections.rows_change_critical" in failures(report), "a collection that is gone has no rows"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda text: None, "there is no suite of this table"),
        (lambda text: text.split("expectations:")[0] + "expectations: []\n", "has no expectation"),
        (lambda text: text.replace("max_value: 100}", "max_valve: 100}"), "could not be run"),
        (lambda text: text.replace("column: rate,", "column: ratio,"), "could not be run"),
        (lambda text: text.replace("[gate_bounds, participation_of", "[gate_bounds, no_such"), "no row for year 2025"),
    ],
    ids=["missing suite", "no expectation", "crash: unknown parameter", "crash: unknown column", "unknown policy row"],
)
def test_a_suite_that_is_missing_or_cannot_be_run_fails_the_gate(
    shop: Workshop, tmp_path: Path, change: object, expected: str
) -> None:
    folder = shutil.copytree(EXPECTATIONS, tmp_path / "expectations")
    suite = folder / "participation_results.yml"
    made = change(suite.read_text())  # type: ignore[operator]
    suite.unlink()
    if made is not None:
        suite.write_text(made)
        assert made != (EXPECTATIONS / suite.name).read_text()
    report = gate(shop, "indicators", expectations=folder)
    assert not report.passed
    page = (report.folder / "report.html").read_text()
    assert expected in "\n".join(report.faults) + page
    assert all(line.startswith("participation_results.") for line in report.faults)


def test_a_frame_that_crashes_fails_the_gate_and_is_tried_again(shop: Workshop, tmp_path: Path) -> None:
    folder = shutil.copytree(EXPECTATIONS, tmp_path / "expectations")
    frame = folder / "frames" / "chronic_change.sql"
    frame.write_text(frame.read_text().replace("r.value,", "r.worth,"))
    report = gate(shop, "indicators", expectations=folder)
    assert {
        "indicator_results.chronic_absence_change_critical",
        "indicator_results.chronic_absence_change_warning",
    } == set(failures(report)), "a warning that crashes stops the run too"
    assert gate(shop, "indicators", expectations=folder).is_new
    assert gate(shop, "indicators").passed


def test_nothing_is_validated_twice_and_a_changed_byte_is(shop: Workshop) -> None:
    first_time = gate(shop, "determinations")
    again = gate(shop, "determinations")
    assert not again.is_new
    assert again.outcomes == first_time.outcomes
    with altered(shop, "determinations", first("org_name", "'Another name'")):
        assert gate(shop, "determinations").is_new, "other bytes are looked at again"
    other = changed(("gate_bounds", "csi_share_most", "24"), register=shop.register)
    assert gate(shop, "determinations", register=other).is_new, "another bound is another question"


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Tables of the suites that are run during a test."""
    found: list[str] = []

    def noted(tasks: Sequence[Task]) -> list[list[Outcome]]:
        found.extend(task.suite.table for task in tasks)
        return workers.judged(tasks)

    monkeypatch.setattr(gates, "judged", noted)
    return found


def test_only_suites_that_something_has_touched_are_run_again(
    shop: Workshop, tmp_path: Path, judged: list[str]
) -> None:
    folder = shutil.copytree(EXPECTATIONS, tmp_path / "expectations")

    def run_again() -> tuple[set[str], Report]:
        judged.clear()
        report = gate(shop, "indicators", expectations=folder)
        return set(judged), report

    everything = set(ROOMS["indicators"]["student"])
    _, clean = run_again()
    with altered(shop, "participation_results", every("rate", "if(rate IS NOT NULL, 101, NULL)")):
        again, report = run_again()
        assert again == {"participation_results", "organisations"}, "the one with its frame reads it too"
        assert not report.passed
        assert {o.table for o in report.outcomes} == everything, "the report is whole"
        left = [o for o in clean.outcomes if o.table == "indicator_results"]
        assert [o for o in report.outcomes if o.table == "indicator_results"] == left
        assert run_again()[0] == set()
    assert run_again()[1].outcomes == clean.outcomes, "what failed is not remembered as what held"
    frame = folder / "frames" / "chronic_change.sql"
    frame.write_text(frame.read_text() + "\n-- looked at again\n")
    assert run_again()[0] == {"indicator_results"}, "the one suite with that frame"
    suite = folder / "organisations.yml"
    suite.write_text(suite.read_text() + "\n# looked at again\n")
    assert run_again()[0] == {"organisations"}
    judged.clear()
    gate(shop, "indicators", register=changed(("gate_bounds", "csi_share_most", "24"), register=shop.register))
    assert set(judged) == everything, "any suite may read the policy"


def test_a_warning_lets_the_run_go_on_and_is_told(shop: Workshop) -> None:
    with altered(shop, "raw_organisations", every("closed_year", "if(org_type = 'district', 1900, closed_year)")):
        report = gate(shop, "source")
    names = [line.split(":")[0] for line in report.warnings]
    assert "raw_organisations.closed_before_opened" in names or not names
    with altered(
        shop, "indicator_results", every("value", f"if({STATE} AND indicator = 'ela_achievement', value + 4, value)")
    ):
        report = gate(shop, "indicators")
    assert report.passed
    assert [line.split(":")[0] for line in report.warnings] == ["indicator_results.statewide_change_warning"]
    assert "The run may go on." in (report.folder / "report.html").read_text()


def test_without_a_year_before_the_report_says_so(shop: Workshop) -> None:
    report = gate(shop, "indicators", 2024)
    notes = [o for o in report.outcomes if o.status == NOT_COMPARED]
    assert {o.observed for o in notes} == {
        "not compared: there are no tables of 2023 (indicator_results)",
        "not compared: there are no tables of 2023 (organisations)",
    }
    assert "indicator_results.chronic_absence_change_critical" in {f"{o.table}.{o.name}" for o in notes}


def test_percentiles_that_are_not_spread_evenly(shop: Workshop) -> None:
    """A hundred schools of one set, evenly spread and then huddled together."""
    made = (
        "SELECT 1 AS number, 2025::INTEGER AS school_year, lpad(i::VARCHAR, 8, '7') AS org_code, 'school' AS org_type,"
        " 'all_students' AS student_group, 'non_high' AS comparison_set, {percentile}::INTEGER AS percentile,"
        " 50::INTEGER AS alone, i::VARCHAR AS score, 'ok' AS status, 'k' AS trace_key FROM range(100) AS r (i)"
    )
    spread = "accountability_percentiles.spread_evenly"
    with altered(shop, "accountability_percentiles", made.format(percentile="greatest(1, i)")):
        assert spread not in failures(gate(shop, "determinations"))
    with altered(shop, "accountability_percentiles", made.format(percentile="greatest(1, i // 2)")):
        found = failures(gate(shop, "determinations"))
    assert [row[1] for row in found[spread].rows] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_shares_of_categories_against_last_year(shop: Workshop) -> None:
    register = changed(("gate_least", "organisations", "5"), register=shop.register)
    now = file_of(shop, "determinations")
    with ExitStack() as stack:
        stack.enter_context(altered(shop, "determinations", f"SELECT 1 AS number, * FROM '{now}'", 2024))
        assert "determinations.reason_shares_critical" not in failures(gate(shop, "determinations", register=register))
        one = "if(decided_by <> 'insufficient_data', 'Meeting or exceeding targets', reason)"
        stack.enter_context(altered(shop, "determinations", every("reason", one)))
        found = failures(gate(shop, "determinations", register=register))
    assert "Meeting or exceeding targets" in [row[0] for row in found["determinations.reason_shares_critical"].rows]


# -- the same in a run -------------------------------------------------------------------------------------------------


def run(shop: Workshop) -> tuple[dg.ExecuteInProcessResult, list[str], set[str]]:
    """The annual run as everybody starts it: result, checks that failed, rooms of which something was made."""
    job = build_defs(shop.settings).resolve_job_def(job_name("student"))
    with dg.instance_for_test() as instance:
        result = job.execute_in_process(partition_key=str(YEAR), instance=instance, raise_on_error=False)
    failed = [evaluation.check_name for evaluation in result.get_asset_check_evaluations() if not evaluation.passed]
    made = {str(e.asset_key.path[-1]) for e in result.get_asset_materialization_events() if e.asset_key}
    return result, failed, {room for room, table in MADE.items() if table in made}


MADE = {
    "source": "mcas", "indicators": "indicator_results", "determinations": "determinations",
    "assistance": "assistance_assignments", "publication": "release",
}  # fmt: skip
AFTER = {room: set(list(MADE)[: n + 1]) for n, room in enumerate(MADE)}
"""Room to the rooms of which something is made when the gate after it holds."""


def handed_on(shop: Workshop, *rooms: str) -> dict[str, str]:
    """Digest of every file of the rooms' tables and of what is published."""
    places = [*(shop.settings.home / "tables" / room for room in rooms), shop.settings.home / "published"]
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for place in places
        for path in sorted(place.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize(
    ("room", "table", "query"),
    [
        ("indicators", "indicator_results", DOUBLED),
        ("determinations", "determinations", MISSING),
        ("assistance", "assistance_assignments", MISSING),
    ],
)
def test_a_run_stops_at_the_gate_and_leaves_what_comes_after(shop: Workshop, room: str, table: str, query: str) -> None:
    later = [other for other in MADE if other not in AFTER[room]]
    before = handed_on(shop, *later)
    with altered(shop, table, query):
        result, failed, made = run(shop)
    assert not result.success
    assert failed == [f"gate_after_{room}"]
    assert made == AFTER[room]
    assert handed_on(shop, *later) == before


def test_a_run_stops_after_the_deliveries(shop: Workshop, tmp_path: Path) -> None:
    """A delivery that fits its contract, with less than half of the rows of the year before."""
    for folder in ("home", "landing"):
        shutil.copytree(shop.settings.home.parent / folder, tmp_path / folder, symlinks=True)
    other = Workshop(tmp_path)
    landed = other.settings.landing / str(YEAR) / "mcas.csv"
    lines = landed.read_text().splitlines(keepends=True)
    landed.write_text("".join([lines[0], *lines[1 : len(lines) * 2 // 5]]))
    before = handed_on(other, "indicators", "determinations", "assistance")
    result, failed, made = run(other)
    assert not result.success
    assert failed == ["gate_after_source"]
    assert made == {"source"}
    assert handed_on(other, "indicators", "determinations", "assistance") == before


def crashing(*args: object, **kwargs: object) -> Report:
    raise RuntimeError("as if a library failed")


def without_a_suite(folder: Path) -> Callable[..., Report]:
    made = shutil.copytree(EXPECTATIONS, folder / "expectations")
    (made / "organisations.yml").unlink()
    return lambda *args, **kwargs: validate(*args, expectations=made, **kwargs)


@pytest.mark.parametrize("kind", ["crash", "missing suite", "missing table"])
def test_a_gate_that_cannot_be_asked_stops_the_run(
    shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    before = handed_on(shop, "determinations", "assistance")
    path = file_of(shop, "organisations")
    with monkeypatch.context() as patch:
        if kind != "missing table":
            broken = crashing if kind == "crash" else without_a_suite(tmp_path)
            patch.setattr(
                checks, "validate", lambda room, *a, **k: (broken if room == "indicators" else validate)(room, *a, **k)
            )
        aside = path.rename(path.with_name("aside")) if kind == "missing table" else None
        try:
            result, failed, made = run(shop)
        finally:
            if aside:
                aside.rename(path)
    assert not result.success
    assert made == AFTER["indicators"]
    assert failed == ([] if kind == "crash" else ["gate_after_indicators"])
    broke = [event.step_key for event in result.filter_events(lambda event: event.is_step_failure)]
    assert broke == ["student__indicator_results_gate_after_indicators"]
    assert handed_on(shop, "determinations", "assistance") == before


def test_a_run_goes_on_after_a_warning_and_shows_it(shop: Workshop) -> None:
    drift = every("value", f"if({STATE} AND indicator = 'ela_achievement', value + 4, value)")
    with altered(shop, "indicator_results", drift):
        result, failed, made = run(shop)
    assert AFTER["assistance"] <= made
    assert failed == []
    evaluation = next(e for e in result.get_asset_check_evaluations() if e.check_name == "gate_after_indicators")
    assert "indicator_results.statewide_change_warning: 1 of " in str(evaluation.metadata["warnings"].value)
