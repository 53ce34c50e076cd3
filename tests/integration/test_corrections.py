"""A correction changes one value of one record before it is counted, keeps both, and is refused if it does not fit."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from orchestration import synthetic
from orchestration.errors import InputError
from orchestration.indicators.building import ROOM, build
from orchestration.indicators.correcting import correct
from orchestration.tables import folder_of
from tests.support.workshop import Workshop

YEAR = 2025
HEADER = "collection,record_key,field,old_value,new_value,decided_by,reason,effective_from,expires_on,citation"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """A small state with indicator tables and no correction."""
    shop = Workshop(tmp_path_factory.mktemp("corrections") / "O'Brien's state")  # not for SQL to read
    synthetic.generate(shop.settings.landing, students=2_000, years=[YEAR], seed=4, contracts=shop.contracts)
    for collection in [n for n, c in shop.contracts.items() if c.source in ("student", "ledger")]:
        assert shop.take_in(collection).refusals == ()
    build(YEAR, "official", settings=shop.settings, contracts=shop.contracts, register=shop.register)
    return shop


def a_record(shop: Workshop) -> dict[str, str]:
    """A tested student in the middle of the scale."""
    with next((shop.settings.landing / str(YEAR)).glob("mcas*.csv")).open(newline="") as file:
        header = next(csv.reader(file))
        rows = [dict(zip(header, row, strict=True)) for row in csv.reader(file)]
    sasid = next(name for name in header if name == "sasid")
    score = next(name for name in header if name in ("ela_scaled_score", "escaleds"))
    found = next(row for row in rows if row[score] and 480 <= int(row[score]) <= 520)
    return {"sasid": found[sasid], "score": found[score]}


def line(record: dict[str, str], **given: str) -> str:
    """A ledger row for the student's ELA score."""
    row = {
        "collection": "mcas",
        "record_key": f"sasid={record['sasid']}",
        "field": "ela_scaled_score",
        "old_value": record["score"],
        "new_value": "540",
        "decided_by": "Office of assessment",
        "reason": "Rescored",
        "effective_from": "2025-08-01",
        "expires_on": "",
        "citation": "Decision 12",
    } | given
    return ",".join(row[name] for name in HEADER.split(","))


def deliver(shop: Workshop, *lines: str) -> None:
    shop.deliver("corrections.csv", "\n".join([HEADER, *lines, ""]))
    assert shop.take_in("corrections").refusals == ()


def accepted(shop: Workshop, *names: str) -> dict[str, list[str]]:
    """Accepted files of the collections in force."""
    return {
        name: [
            str(path) for s in shop.store.in_force(YEAR, name, "official").values() for path in shop.store.accepted(s)
        ]
        for name in ("corrections", "organisations", *names)
    }


def attempt(shop: Workshop, work: Path, *lines: str) -> tuple[dict[str, list[str]], list[tuple[object, ...]]]:
    """Apply a ledger of these lines to the student results."""
    deliver(shop, *lines)
    return correct(YEAR, accepted(shop, "mcas", "sims"), shop.contracts, date(2025, 9, 29), work)


def test_one_value_changes_and_both_stay_visible(shop: Workshop, tmp_path: Path) -> None:
    record = a_record(shop)
    before = pq.read_table(accepted(shop, "mcas")["mcas"][0]).to_pylist()
    copies, [applied] = attempt(shop, tmp_path, line(record))
    after = pq.read_table(copies["mcas"][0]).to_pylist()
    assert pq.read_table(accepted(shop, "mcas")["mcas"][0]).to_pylist() == before  # nothing is edited in place
    changed = [(b, a) for b, a in zip(sorted(before, key=_row), sorted(after, key=_row), strict=True) if a != b]
    [(old, new)] = changed
    assert old["sasid"] == record["sasid"]
    assert {k: (old[k], new[k]) for k in old if old[k] != new[k]} == {"ela_scaled_score": (int(record["score"]), 540)}
    assert record["sasid"] not in map(str, applied)
    assert applied[:6] == (YEAR, "mcas", old["school_code"], "ela_scaled_score", record["score"], "540")


def _row(record: dict[str, object]) -> tuple[str, int]:
    return str(record["_delivery"]), int(str(record["_row"]))


def test_a_second_correction_follows_on_the_first(shop: Workshop, tmp_path: Path) -> None:
    record = a_record(shop)
    first, second = line(record), line(record, old_value="540", new_value="541", effective_from="2025-09-01")
    _, applied = attempt(shop, tmp_path, second, first)
    assert [row[5] for row in applied] == ["540", "541"]


@pytest.mark.parametrize("given", [{"effective_from": "2025-12-01"}, {"expires_on": "2025-08-02"}])
def test_a_correction_out_of_force_changes_nothing(shop: Workshop, tmp_path: Path, given: dict[str, str]) -> None:
    assert attempt(shop, tmp_path, line(a_record(shop), **given)) == ({}, [])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"old_value": "1"},
            r"corrections, row 2: mcas\.ela_scaled_score: the record \(.*\) does not hold the old value",
        ),
        ({"old_value": ""}, "does not hold the old value"),
        ({"record_key": "sasid=0000000000"}, "0 accepted records have this key"),
        ({"record_key": "grade=04"}, "record_key must be written as sasid="),
        ({"field": "sasid"}, "part of the record's key"),
        ({"field": "shoe_size"}, "no such field"),
        ({"new_value": "900"}, "breaks the rule 'range'"),
        ({"new_value": "many"}, "breaks the rule 'type'"),
        ({"field": "school_code", "old_value": "", "new_value": "99999999"}, "does not hold the old value"),
        ({"collection": "dropouts"}, "nothing of this collection is in force"),
    ],
)
def test_a_correction_that_does_not_fit_is_refused(
    shop: Workshop, tmp_path: Path, given: dict[str, str], message: str
) -> None:
    record = a_record(shop)
    with pytest.raises(InputError, match=message) as caught:
        attempt(shop, tmp_path, line(record, **given))
    assert record["sasid"] not in str(caught.value)


def test_a_record_cannot_move_to_an_unknown_school(shop: Workshop, tmp_path: Path) -> None:
    record = a_record(shop)
    school = next(
        row["school_code"]
        for row in pq.read_table(accepted(shop, "mcas")["mcas"][0]).to_pylist()
        if row["sasid"] == record["sasid"]
    )
    moved = line(record, field="school_code", old_value=school, new_value="99999999")
    with pytest.raises(InputError, match=r"not in organisations\.org_code"):
        attempt(shop, tmp_path, moved)


def test_tables_hold_the_corrected_figure_and_the_correction(shop: Workshop) -> None:
    """From the delivery of a ledger to the table: only the results of the student's school, district and state move."""
    tables = folder_of(shop.settings.home, ROOM, "student", YEAR)
    before = figures(tables)
    deliver(shop, line(a_record(shop), citation="Decision 13"))  # bytes delivered before would be no news
    built = build(YEAR, "official", settings=shop.settings, contracts=shop.contracts, register=shop.register)
    assert built.is_new
    [applied] = pq.read_table(tables / "applied_corrections.parquet").to_pylist()
    moved = {key for key, value in figures(tables).items() if before[key] != value}
    assert moved
    assert {key[2] for key in moved} == {"ela_achievement"}
    assert {key[0] for key in moved} <= {applied["org_code"], applied["org_code"][:4] + "0000", "00000000"}
    refused = line(a_record(shop), old_value="1", citation="Decision 14")
    deliver(shop, refused)
    with pytest.raises(InputError, match="does not hold the old value"):
        build(YEAR, "official", settings=shop.settings, contracts=shop.contracts, register=shop.register)
    assert pq.read_table(tables / "applied_corrections.parquet").to_pylist() == [applied]


def figures(folder: Path) -> dict[tuple[str, str, str], object]:
    """Value and counts by organisation, gradespan with group, and indicator."""
    return {
        (row["org_code"], f"{row['gradespan']} {row['student_group']}", row["indicator"]): (row["value"], row["n"])
        for row in pq.read_table(folder / "indicator_results.parquet").to_pylist()
    }
