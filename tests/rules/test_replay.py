"""The trace alone leads to the determinations: replayed from the written rows, and found out where one was changed.

Belongs here: replaying whole years, and tampering with one row, by the replayer (tests/support/replay), which has the
trace alone, and by the verifier of audit bundles, which has the policy rows too and trusts less. Does not: either.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from orchestration.determinations.determining import determine
from orchestration.determinations.writing import write_tables
from orchestration.determinations.year_rules import year_rules
from orchestration.publication.bundle.verifier import KINDS, TRACE
from tests.support.bundles import forged, loose, replay_of, traced, write_inputs
from tests.support.determinations import REGISTER
from tests.support.forgeries import FORGERIES, Forgery
from tests.support.made_up_inputs import inputs
from tests.support.replay import Replayed, replay

Rows = list[dict[str, Any]]
YEARS = (2018, 2019, 2022, 2023, 2024, 2025)
LISTS = ("grounds_met", "low_performing_groups", "low_participation_groups", "designations", "recognition")
LACKING = {
    ("column", "column_indicators: the category of each indicator"),
    ("column, gradespan, annual, cumulative", "decimals_shown: how the shown percentage is rounded"),
    ("percentile", "n and status of the achievement rows of a school without percentile"),
    ("percentile", "below, ties and ranked behind the percentile of a group as a school (alone)"),
    ("percentile", "column_indicators: the category of each ranked indicator"),
    ("percentile", "weight rows of a year whose EL scheme is not the current year's"),
    ("federal", "title_i_status, precedence, and the Title I schools behind csi_percentile_at_most"),
    ("classification/graduation_rate", "n and the step or row that the figure comes from"),
    ("classification/participation", "n and the step or row that the figure comes from"),
    ("classification", "reason_word of the target percentage where another reason decided"),
    ("classification", "recognition_label rows of the grounds of recognition"),
}
"""What a replay has to take on trust; nothing may be added to it."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The folder of a year's tables; each made once."""

    @cache
    def of(year: int, seed: int = 7, schools: int = 60) -> Path:
        made_up, folder = inputs(year, seed, schools), tmp_path_factory.mktemp(f"tables_{year}")
        write_tables(folder, determine(made_up, year_rules(REGISTER, year)), made_up)
        write_inputs(folder, made_up)
        return folder

    return of


@pytest.fixture(scope="module")
def written(folders: Callable[[int], Path]) -> Callable[[int], tuple[Rows, Rows, Rows]]:
    """Trace, determinations and federal designations of a year, read back from the files."""
    names = ("determination_trace", "determinations", "federal_designations")

    @cache
    def of(year: int) -> tuple[Rows, Rows, Rows]:
        trace, determinations, federal = (
            pq.read_table(folders(year) / f"{name}.parquet").to_pylist() for name in names
        )
        return trace, determinations, federal

    return of


def _differing(replayed: Replayed, determinations: Rows) -> list[tuple[str, str, object, object]]:
    """Cells of the table that the replay does not lead to."""
    columns = ("org_type", "overall_classification", "reason", "decided_by", "progress", "status", *LISTS)
    found = []
    for row in determinations:
        again = replayed.determinations[row["org_code"]]
        for column in (*columns, "percentile", "annual", "cumulative"):
            value = "; ".join(again[column]) or None if column in LISTS else again[column]
            if value != row[column]:
                found.append((row["org_code"], column, value, row[column]))
    return found


@pytest.mark.parametrize("year", YEARS)
def test_trace_alone_leads_to_every_determination(year: int, written: Callable[[int], tuple[Rows, Rows, Rows]]) -> None:
    trace, determinations, federal = written(year)
    replayed = replay(trace)
    assert replayed.differences == []
    assert _differing(replayed, determinations) == []
    assert len(replayed.determinations) == len(determinations) > 60
    for row in federal:
        again = replayed.outcomes[row["trace_key"]]
        assert (again["designation"], "; ".join(again["reasons"]) or None) == (row["designation"], row["reasons"])
    assert set(replayed.lacking) <= LACKING
    kinds = {row["kind"] for row in trace}
    assert {"percentile", "classification", "federal"} <= kinds
    assert year == 2022 or {"points", "column", "gradespan", "annual", "cumulative"} <= kinds
    if year != 2022:
        assert len({row["reason"] for row in determinations}) >= 5


Change = Callable[[dict[str, Any]], dict[str, Any] | None]


def _points(row: dict[str, Any]) -> dict[str, Any] | None:
    outcome = json.loads(row["outcome"])
    if row["kind"] != "points" or row["student_group"] != "all_students" or outcome["points"] is None:
        return None
    return {**row, "outcome": json.dumps({**outcome, "points": (outcome["points"] + 1) % 5})}


def _parameter(kind: str, rule: str, value: str, *, indicator: str = "") -> Change:
    def change(row: dict[str, Any]) -> dict[str, Any] | None:
        if row["kind"] != kind or row["indicator"] != indicator or row["student_group"] not in ("", "all_students"):
            return None
        cited = json.loads(row["parameters"])
        chosen = next((p for p in cited if p["rule_id"] == rule), None)
        if chosen is None or json.loads(row["outcome"]).get("kept", 0) is None:
            return None
        chosen["value"] = value
        return {**row, "parameters": json.dumps(cited)}

    return change


def _input(kind: str, name: str, value: object) -> Change:
    def change(row: dict[str, Any]) -> dict[str, Any] | None:
        told = json.loads(row["inputs"])
        if row["kind"] != kind or row["student_group"] != "all_students" or told.get(name) in (None, value):
            return None
        return {**row, "inputs": json.dumps({**told, name: value})}

    return change


CHANGES = {
    "points": _points,
    "weight of a category": _parameter("column", "weight", "1"),
    "possible points": _parameter("column", "possible_points", "5"),
    "prior annual": _input("cumulative", "prior", "1.5"),
    "current annual": _input("cumulative", "current", "1.5"),
    "score of a percentile": _input("percentile", "score", "1/7"),
    "place of a percentile": _input("percentile", "below", 99),
    "percentile limit": _parameter("classification", "percentile_test", "99", indicator="percentile"),
    "band": _parameter("classification", "progress_band", "101-102", indicator="progress"),
    "word": _parameter("classification", "reason_word", "Another word"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_one_changed_row_is_found_and_named(name: str, written: Callable[[int], tuple[Rows, Rows, Rows]]) -> None:
    trace, _, _ = written(2025)
    tried = 0
    for number, changed in _changed(trace, CHANGES[name]):
        replayed = replay([*trace[:number], changed, *trace[number + 1 :]])
        told = [(key, what) for key, what in replayed.differences if changed["key"] in (key, *_named(what))]
        assert told, f"{changed['key']}: {name} changed, and nothing said of it"
        tried += 1
    assert tried == 3


def _named(what: str) -> tuple[str, ...]:
    """The step that a message names as the source of a figure."""
    return (what.partition("(from ")[2].partition(")")[0],)


def _changed(trace: Rows, change: Change) -> Iterator[tuple[int, dict[str, Any]]]:
    """The first, a middle and the last row that can be changed so."""
    found = [(number, changed) for number, row in enumerate(trace) if (changed := change(row)) is not None]
    yield from (found[0], found[len(found) // 2], found[-1])


def test_weights_changed_everywhere_reach_the_determinations(
    written: Callable[[int], tuple[Rows, Rows, Rows]],
) -> None:
    """The replay follows the steps upstream and does not repeat what each of them says."""
    trace, determinations, _ = written(2025)
    doubled = []
    for row in trace:
        cited = json.loads(row["parameters"])
        for parameter in cited:
            if parameter["rule_id"] == "weight" and parameter["parameter"].endswith("_additional"):
                parameter["value"] = "90"
        doubled.append({**row, "parameters": json.dumps(cited)})
    changed = {column for _, column, _, _ in _differing(replay(doubled), determinations)}
    assert changed >= {"annual", "cumulative", "grounds_met"}


def test_step_taken_out_is_missed(written: Callable[[int], tuple[Rows, Rows, Rows]]) -> None:
    """A step that others name cannot be left out unnoticed."""
    trace, _, _ = written(2025)
    gone = next(row["key"] for row in trace if row["kind"] == "points" and row["outcome"].count("null") == 0)
    told = replay([row for row in trace if row["key"] != gone]).differences
    assert any(gone in what for _, what in told)


@pytest.mark.parametrize("year", YEARS)
def test_the_verifier_of_bundles_makes_every_determination_again(
    year: int,
    folders: Callable[[int], Path],
    written: Callable[[int], tuple[Rows, Rows, Rows]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    trace, determinations, _ = written(year)
    replayed = replay_of(loose(folders(year), tmp_path), year)
    assert (replayed.checks.failed, capsys.readouterr().out) == (0, "")
    assert replayed.determinations.keys() == {row["trace_key"] for row in determinations}
    assert replayed.steps.total() == len(trace)
    assert replayed.checks.made > 2 * len(determinations) + len(trace) / 2


def test_the_verifier_holds_where_ledgers_and_single_schools_decide(
    folders: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another state a year: districts judged by their only school, designations in force, schools of recognition."""
    designated, recognised = 0, 0
    for year in YEARS:
        (tmp_path / str(year)).mkdir()
        replayed = replay_of(loose(folders(year, 2, 40), tmp_path / str(year)), year)
        assert (replayed.checks.failed, capsys.readouterr().out) == (0, "")
        assert len(replayed.alone) == len(replayed.known.only_school) > 0
        designated += len(replayed.known.designations)
        recognised += len(replayed.known.recognised)
    assert min(designated, recognised) > 3


def _changed_step(step: dict[str, Any], number: int) -> str | None:
    """Change a step in the way of that number, where it can be: what the verifier has to say of it."""
    told, outcome, kind, test = step["inputs"], step["outcome"], step["kind"], step["indicator"]
    checks = [check for check in told.get("checks", ()) if check.get("figure") is not None]
    if number == 0 and kind == "points" and outcome["points"] is not None:
        outcome["points"] = (outcome["points"] + 1) % 5
        return "points: "
    if number == 1 and kind == "column" and outcome["kept"] is not None:
        step["lines"][1] += 1
        return "cited weights: "
    if number == 2 and kind == "annual" and outcome["kept"] is not None:
        outcome["kept"] = "1.5"
        return "kept: "
    if number == 3 and kind == "cumulative" and told["prior"] is not None and outcome["kept"] is not None:
        told["prior"] = "1.5" if told["prior"] != "1.5" else "98.5"
        return "kept: "
    if number == 4 and kind == "percentile" and "score" in told:
        told["below"] += 1
        return "below, ties, ranked: "
    if number == 5 and test == "percentile" and checks:
        checks[0]["figure"] = 98 if checks[0]["figure"] != 98 else 97
        return "figure of "
    if number == 6 and test == "participation" and checks:
        checks[0]["threshold"] = "1"
        return "threshold of "
    if number == 7 and test == "progress" and checks:
        outcome["met"] = False
        return "met: "
    if number == 8 and kind == "classification" and outcome.get("reason"):
        outcome["reason"] = "Another word"
        return "reason: "
    return None


def test_the_verifier_names_each_changed_step(
    folders: Callable[[int], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One step in the middle of the state is changed in each way; the digests are not asked."""
    place = loose(folders(2025), tmp_path)
    wanted, number = [], 0
    with traced(place) as steps:
        for step in steps[len(steps) // 3 :]:
            if (said := _changed_step(step, number)) is not None:
                wanted.append((step["key"], said))
                number += 1
    assert number == 9
    replayed = replay_of(place, 2025)
    lines = capsys.readouterr().out.splitlines()
    assert replayed.checks.failed == len(lines) >= number
    for key, said in wanted:
        assert any(line.startswith(f"{TRACE}: {key}: ") and said in line for line in lines) or any(
            f".csv: {key}: {said}" in line for line in lines
        ), f"{key}: {said}: not found in {lines}"


def test_the_verifier_misses_a_step_that_was_taken_out(
    folders: Callable[[int], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = loose(folders(2025), tmp_path)
    with traced(place) as steps:
        gone = next(step for step in steps if step["kind"] == "gradespan" and step["outcome"]["kept"])
        steps.remove(gone)
    assert replay_of(place, 2025).checks.failed >= 2
    said = capsys.readouterr().out
    assert f"target_percentages.csv: {gone['key']}: no step of the trace decided it" in said
    assert f"cannot be worked out again: KeyError '{gone['key']}'" in said


@pytest.mark.parametrize("kind", [*KINDS, "classification"])
def test_the_verifier_misses_a_step_that_was_taken_out_with_its_row(
    kind: str, folders: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of every kind, two; that they have to be there follows from what is left."""
    tables = shutil.copytree(folders(2025, 2), tmp_path / "tables")
    place = loose(tables, tmp_path)
    with traced(place) as steps:
        gone = [step for step in steps if step["kind"] == kind and not (kind == "classification" and step["indicator"])]
        gone = [gone[len(gone) // 3], gone[-1]]
        for step in gone:
            steps.remove(step)
    table = tables / f"{KINDS.get(kind, 'determinations')}.csv"
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join(line for line in lines if not any(f'"{step["key"]}"' in line for step in gone)))
    assert len(table.read_text().splitlines()) == len(lines) - 2
    assert replay_of(place, 2025).checks.failed >= 2
    said = capsys.readouterr().out
    assert [step["key"] for step in gone if f"/{step['org_code']}" not in said] == []


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.__name__)
def test_the_verifier_names_what_a_forger_left_out_or_put_in(
    forgery: Forgery, folders: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Trace and table agree with each other; what has to be there follows from the policy and the other tables."""
    place = loose(shutil.copytree(folders(2025, 2), tmp_path / "tables"), tmp_path)
    wanted = forged(place, forgery)
    assert replay_of(place, 2025).checks.failed >= len(wanted)
    lines = capsys.readouterr().out.splitlines()
    for said in wanted:
        assert any(line.startswith(said) for line in lines), f"{said}: not found in {lines}"
    (code,) = {said.split("/")[1] for said in wanted}
    assert [line for line in lines if code not in line] == []
