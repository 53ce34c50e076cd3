"""Scores that still hold: after any change the tables are those of a build from nothing, and what could stay stayed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from random import Random

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.determinations import building, sharing, taking_over
from orchestration.determinations.taking_over import FILE, Holding
from orchestration.files import sha256_of
from orchestration.settings import Settings
from orchestration.tables import folder_of
from tests.support.determination_home import SOURCE, YEAR, built, change, make_home, renew
from tests.support.made_up_inputs import STATE, inputs

SCHOOL = "(SELECT min(org_code) FROM t WHERE org_type = 'school' AND value IS NOT NULL)"
DISTRICT = SCHOOL.replace("school", "district")
CELL = f"org_code = {SCHOOL} AND indicator = 'chronic_absenteeism'"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with determinations."""
    home = make_home(tmp_path_factory.mktemp("made") / "home")
    assert built(home).is_new
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """A copy, which may be changed."""
    return Path(shutil.copytree(made, tmp_path / "home", symlinks=True))


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> list[Holding]:
    """What each build since found to hold."""
    found: list[Holding] = []
    ask = building.holding

    def noted(*asked: object) -> Holding:
        found.append(ask(*asked))  # type: ignore[arg-type]
        return found[-1]

    monkeypatch.setattr(building, "holding", noted)
    return found


def _files(home: Path) -> dict[str, str]:
    folder = folder_of(home, "determinations", SOURCE, YEAR)
    return {file.name: sha256_of(file) for file in folder.iterdir() if file.name != "record.json"}


def _from_nothing(home: Path) -> dict[str, str]:
    """Digests of the tables that a home without determinations makes of the same inputs."""
    beside = home.with_name("beside")
    shutil.copytree(home, beside, symlinks=True)
    shutil.rmtree(beside / "tables" / "determinations")
    assert built(beside).is_new
    files = _files(beside)
    shutil.rmtree(beside)
    return files


def _organisations(home: Path) -> set[str]:
    table = pq.read_table(folder_of(home, "indicators", SOURCE, YEAR) / "organisations.parquet")
    return set(table.column("org_code").to_pylist())


def _add(home: Path, table: str, row: dict[str, object]) -> None:
    """One row, with the columns that it has, in a table of the year that has none."""
    folder = folder_of(home, "indicators", SOURCE, YEAR)
    before = pq.read_table(folder / f"{table}.parquet")
    pq.write_table(
        pa.Table.from_pylist([row], before.schema if table != "published_targets" else None),
        folder / f"{table}.parquet",
    )
    renew(folder)


def _value(home: Path) -> None:
    change(
        home,
        "indicator_results",
        f"SELECT * REPLACE (CASE WHEN {CELL} THEN value + 0.1 ELSE value END AS value) FROM t",
    )


def _row_gone(home: Path) -> None:
    change(home, "indicator_results", f"SELECT * FROM t WHERE NOT (org_code = {DISTRICT} AND indicator = 'ela_growth')")


def _status(home: Path) -> None:
    few = f"CASE WHEN org_code = {DISTRICT} THEN 'n_too_small' ELSE status END AS status"
    change(home, "indicator_results", f"SELECT * REPLACE ({few}) FROM t")


def _enrolment(home: Path) -> None:
    k12 = "(SELECT min(org_code) FROM t WHERE enrolment_high > 0 AND enrolment_non_high > 0 AND org_type = 'school')"
    more = f"CASE WHEN org_code = {k12} THEN enrolment_high * 3 ELSE enrolment_high END AS enrolment_high"
    change(home, "organisations", f"SELECT * REPLACE ({more}) FROM t")


def _published(home: Path) -> None:
    _add(home, "published_targets", dict(inputs(YEAR, seed=3, schools=60).published_targets[0]))


def _correction(home: Path) -> None:
    code = min(_organisations(home) - {STATE})
    _add(
        home,
        "applied_corrections",
        {
            "school_year": YEAR, "collection": "sims", "org_code": code, "field": "grade", "old_value": "01",
            "new_value": "02", "decided_by": "The Office", "reason": "appeal", "citation": "letter",
            "ledger_delivery": "0" * 64, "ledger_row": 1, "record_delivery": "1" * 64, "record_row": 2,
        },
    )  # fmt: skip


FEW = {
    "a figure": _value, "a row less": _row_gone, "a status": _status, "enrolment": _enrolment,
    "a published target": _published, "a correction": _correction,
}  # fmt: skip
"""Changes that reach one organisation only."""


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("what", FEW)
def test_a_change_of_one_organisation_scores_it_anew(
    home: Path, held: list[Holding], monkeypatch: pytest.MonkeyPatch, what: str, processes: int
) -> None:
    monkeypatch.setattr(sharing, "WORTH_SHARING", 0 if processes == 2 else 10**9)
    before = _files(home)
    FEW[what](home)
    assert built(home).is_new
    assert len(_organisations(home) - held[-1].steps.keys()) == 2  # it, and the state, which is always scored
    after = _files(home)
    assert (
        after["indicator_targets.parquet" if what == "a published target" else "determination_trace.parquet"]
        != (before["indicator_targets.parquet" if what == "a published target" else "determination_trace.parquet"])
    )
    assert after == _from_nothing(home)


def test_what_scores_are_not_made_from_changes_none(home: Path, held: list[Holding]) -> None:
    change(home, "participation_results", "SELECT * REPLACE (tested // 2 AS tested) FROM t")
    assert built(home).is_new
    assert _organisations(home) - held[-1].steps.keys() == {STATE}
    assert _files(home) == _from_nothing(home)


def test_a_statewide_value_that_moves_reaches_whoever_is_compared_with_it(home: Path, held: list[Holding]) -> None:
    """The best tenth of the schools get better: others, whose own figures stay, are held against another value."""
    best = "org_type = 'school' AND indicator = 'chronic_absenteeism' AND value < 12"
    change(
        home,
        "indicator_results",
        f"SELECT * REPLACE (CASE WHEN {best} THEN (value / 4)::DECIMAL(9, 1) ELSE value END AS value) FROM t",
    )
    with duckdb.connect() as con:
        file = folder_of(home, "indicators", SOURCE, YEAR) / "indicator_results.parquet"
        moved = con.execute(
            f"SELECT count(DISTINCT org_code) FROM '{file}' WHERE value < 3 AND indicator = 'chronic_absenteeism'"
        )
        own = moved.fetchall()[0][0]
    assert built(home).is_new
    anew = _organisations(home) - held[-1].steps.keys()
    assert len(anew | held[-1].touched.keys()) > own + 5
    assert _files(home) == _from_nothing(home)


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("by", ["0.1", "5.0"])
def test_whose_points_stay_is_not_scored_anew_when_a_statewide_value_moves(
    home: Path, held: list[Holding], monkeypatch: pytest.MonkeyPatch, by: str, processes: int
) -> None:
    """The school at the value gets worse, with it the value; of all who are held against it few earn other points."""
    monkeypatch.setattr(sharing, "WORTH_SHARING", 0 if processes == 2 else 10**9)
    weighed: list[Holding] = []
    monkeypatch.setattr(building, "weighed", lambda *asked: weighed.append(taking_over.weighed(*asked)) or weighed[-1])
    gradespan, group, indicator = "non_high", "high_needs", "ela_achievement"
    note = json.loads((folder_of(home, "determinations", SOURCE, YEAR) / FILE).read_bytes())
    value = max(note["statewide"][f"{gradespan}/{group}/{indicator}/"].values())
    cell = f"gradespan = '{gradespan}' AND student_group = '{group}' AND indicator = '{indicator}'"
    at = f"org_type = 'school' AND value >= {value} AND value < {value} + {by} AND {cell}"
    change(
        home,
        "indicator_results",
        f"SELECT * REPLACE (CASE WHEN {at} THEN (value - {by})::DECIMAL(9, 1) ELSE value END AS value) FROM t",
    )
    assert built(home).is_new
    touched, kept = held[-1].touched.keys(), weighed[-1].steps.keys()
    assert len(touched & kept) > 10, "many are held against it and earn what they earned"
    assert weighed[-1].given is not None
    assert set(weighed[-1].given.column("key").to_pylist()) >= {
        f"{YEAR}/{org}/points/{gradespan}/{group}/{indicator}" for org in touched & kept
    }
    if by == "5.0":
        assert touched - kept, "some earn other points for it"
    assert _files(home) == _from_nothing(home)


def test_an_organisation_that_is_gone_moves_what_all_are_held_against(home: Path, held: list[Holding]) -> None:
    change(home, "indicator_results", f"SELECT * FROM t WHERE org_code <> {SCHOOL}")
    gone = "(SELECT min(org_code) FROM t WHERE org_type = 'school')"
    change(home, "organisations", f"SELECT * FROM t WHERE org_code <> {gone}")
    assert built(home).is_new
    assert not held[-1].steps
    assert _files(home) == _from_nothing(home)


def test_a_school_that_closed_is_no_baseline_though_its_figures_stay(home: Path, held: list[Holding]) -> None:
    earlier = f"CASE WHEN org_code = {SCHOOL} THEN data_year - 1 ELSE data_year END AS data_year"
    change(home, "indicator_results", f"SELECT * REPLACE ({earlier}) FROM t")
    built(home)
    gone = "(SELECT min(org_code) FROM t WHERE org_type = 'school')"
    change(home, "organisations", f"SELECT * FROM t WHERE org_code <> {gone}")
    assert built(home).is_new
    assert not held[-1].steps
    assert _files(home) == _from_nothing(home)


@pytest.mark.parametrize("damage", ["table", "no note", "note of before"])
def test_tables_that_are_not_as_they_were_written_hold_nothing(home: Path, held: list[Holding], damage: str) -> None:
    folder = folder_of(home, "determinations", SOURCE, YEAR)
    if damage == "table":
        table = pq.read_table(folder / "indicator_points.parquet")
        pq.write_table(table.slice(1), folder / "indicator_points.parquet")
    elif damage == "no note":
        (folder / FILE).unlink()
    else:
        text = (folder / FILE).read_text()
        (folder / FILE).write_text(text.replace('"common": "', '"common": "0'))
    _value(home)
    assert built(home).is_new
    assert not held[-1].steps
    assert _files(home) == _from_nothing(home)


def _other_policy(home: Path) -> Path:
    policy = Path(shutil.copytree(Settings().policy, home / "policy"))
    with (policy / "citations.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    return policy


@pytest.mark.parametrize("what", ["policy", "earlier year"])
def test_other_rules_or_earlier_tables_are_not_asked(home: Path, held: list[Holding], what: str) -> None:
    _value(home)
    policy = None
    if what == "policy":
        policy = _other_policy(home)
    else:
        renew(folder_of(home, "indicators", SOURCE, YEAR - 1))
    assert built(home, policy).is_new
    assert held == []


@pytest.mark.parametrize("seed", range(3))
def test_any_changes_one_after_another(home: Path, held: list[Holding], seed: int) -> None:
    """Figures of a few organisations move, go and come, three builds in a row, each going on from the one before."""
    random = Random(seed)
    codes = sorted(_organisations(home))
    for _ in range(3):
        some = ", ".join(f"'{code}'" for code in random.sample(codes, 4))
        step, out_of = random.choice(("0.1", "-0.3", "2.5")), random.randrange(2, 9)
        chosen = f"org_code IN ({some}) AND hash(org_code, gradespan, student_group, indicator) % {out_of} = 0"
        moved = f"CASE WHEN {chosen} AND value BETWEEN 5 AND 90 THEN value + {step} ELSE value END AS value"
        change(home, "indicator_results", f"SELECT * REPLACE ({moved}) FROM t WHERE NOT ({chosen} AND n < 30)")
        built(home)
    assert held
    assert any(holding.steps for holding in held)
    assert _files(home) == _from_nothing(home)
