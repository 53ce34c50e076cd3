"""Every kind of bad delivery: one clear error, and a store that is as it was."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from orchestration.settings import PROJECT
from tests.support.workshop import ORGANISATIONS, Workshop, access, changed, student, text, with_access

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return with_access(tmp_path)


def workbook(rows: list[list[object]], edit: Callable[[Workbook], None] | None = None) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    if edit:
        edit(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def cells(lines: list[str]) -> list[list[object]]:
    return [list(line.split(",")) for line in lines]


def parquet(columns: dict[str, pa.Array]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def access_columns() -> dict[str, list[str]]:
    rows = cells(access())
    return {str(name): [str(row[i]) for row in rows[1:]] for i, name in enumerate(rows[0])}


def merged(book: Workbook) -> None:
    book.active.merge_cells("A2:A3")


def formula(book: Workbook) -> None:
    book.active["D5"] = "=1+1"


def second_sheet(book: Workbook) -> None:
    book.create_sheet("more")["A1"] = "x"


GOOD = text(access())
NESTED = parquet({**{k: pa.array(v) for k, v in access_columns().items()}, "grade": pa.array([["01"]] * 300)})
CASES: dict[str, tuple[str, bytes, tuple[str, ...]]] = {
    "empty file": ("access_2.csv", b"", ("2025/access_2.csv", "is empty")),
    "header only": ("access_2.csv", access()[0].encode() + b"\n", ("2025/access_2.csv", "no rows")),
    "missing column": (
        "access_2.csv",
        text([",".join(line.split(",")[:3] + line.split(",")[4:]) for line in access()]).encode(),
        ("missing column grade", "add it"),
    ),
    "unknown column": (
        "access_2.csv",
        text([f"{line},z" for line in access()]).encode(),
        ("column 'z'", "not in the contract of access"),
    ),
    "duplicated header": (
        "access_2.csv",
        text([f"{line},{line.split(',')[1]}" for line in access()]).encode(),
        ("column 'sasid'", "twice"),
    ),
    "two names of one field": (
        "sims_march_1.csv",
        b"DOE002,sasid,DOE015\n1000000001,1000000001,91010001\n",
        ("'DOE002' and 'sasid' both stand for sasid",),
    ),
    "unnamed column": ("access_2.csv", text([f"{line}," for line in access()]).encode(), ("column 8 has no header",)),
    "wrong year inside": (
        "access_2.csv",
        text([access()[0], *(line.replace("2025", "2024", 1) for line in access()[1:])]).encode(),
        ("300 of 300 rows", "school_year year (300 times, first in row 2)"),
    ),
    "duplicate keys": (
        "access_2.csv",
        text(access() + access()[1:4]).encode(),
        ("6 of 303 rows", "sasid duplicate_key (6 times, first in row 2)"),
    ),
    "codes not allowed": (
        "access_2.csv",
        text([access()[0], *(line.replace(",T,", ",tested,") for line in access()[1:])]).encode(),
        ("test_status code (300 times",),
    ),
    "Latin-1": ("access_2.csv", GOOD.replace("1000000005", "é00000005").encode("latin-1"), ("row 7", "not UTF-8")),
    "UTF-16": ("access_2.csv", GOOD.encode("utf-16"), ("UTF-16", "save it as CSV UTF-8")),
    "cut in a character": ("access_2.csv", (GOOD + "é").encode()[:-1], ("row 302", "cut off")),
    "truncated gzip": ("access_2.csv.gz", gzip.compress(GOOD.encode())[:-20], ("cut off or damaged",)),
    "not gzip": ("access_2.csv.gz", GOOD.encode() + b"x", ("cut off or damaged",)),
    "empty gzip": ("access_2.csv.gz", gzip.compress(b""), ("archive is empty",)),
    "gzip bomb": ("access_2.csv.gz", gzip.compress(b"0" * 50_000_000), ("expands past",)),
    "NUL bytes": ("access_2.csv", GOOD.replace("1000000005", "10000\x0000005").encode(), ("row 7", "NUL")),
    "quote never closed": (
        "access_2.csv",
        GOOD.replace("1000000005", '"1000000005').encode(),
        ("row 7", "a quote is never closed"),
    ),
    "text after a closing quote": ("access_2.csv", GOOD.replace("1000000005", '"1000000005"x').encode(), ("row 7",)),
    "field of 10 MB": (
        "access_2.csv",
        GOOD.replace("1000000005", "1" * 10_000_000).encode(),
        ("row 7", "longer than 1000000 bytes"),
    ),
    "field of 10 MB in quoted lines": (
        "access_2.csv",
        GOOD.replace("1000000005", '"' + "1234567\n" * 1_250_000 + '"').encode(),
        ("row 7", "field larger than field limit"),
    ),
    "workbook with a formula": ("access_2.xlsx", workbook(cells(access()), formula), ("cell D5", "formula")),
    "workbook with merged cells": ("access_2.xlsx", workbook(cells(access()), merged), ("A2:A3", "merged")),
    "workbook with two sheets": ("access_2.xlsx", workbook(cells(access()), second_sheet), ("2 filled sheets", "more")),
    "workbook without a sheet": ("access_2.xlsx", workbook([]), ("no filled sheet",)),
    "cut workbook": ("access_2.xlsx", workbook(cells(access()))[:-300], ("not a complete workbook",)),
    "parquet with nested values": ("access_2.parquet", NESTED, ("column 'grade'", "list")),
    "cut parquet": ("access_2.parquet", NESTED[:-10], ("not a complete Parquet file",)),
    "no row fits": ("access_2.csv", text([access()[0], access(1)[1].replace(",T,", ",?,")]).encode(), ("1 of 1 rows",)),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_delivery_is_refused_whole_and_harms_nothing(shop: Workshop, case: str) -> None:
    name, content, fragments = CASES[case]
    before = shop.fingerprint()
    shop.deliver(name, content)
    collection = "sims" if name.startswith("sims") else "access"

    intake = shop.take_in(collection)

    assert len(intake.refusals) == 1
    line = intake.refusals[0]
    assert line.startswith(f"2025/{name}: ")
    assert "\n" not in line
    for fragment in fragments:
        assert fragment in line
    assert student(5) not in line
    assert shop.fingerprint() == before
    assert [reason["reason"] for reason in shop.store.refusals(2025).values()] == [line]
    assert shop.take_in(collection).refusals == (line,), "the same delivery is refused again for the same reason"


def test_rows_that_break_the_contract_are_quarantined_and_named(shop: Workshop) -> None:
    """One bad row in 300 is under the tolerance: it is set aside with its reason, the rest goes on."""
    cases = {
        "overall_level": ("1,234", "field_count", ""),
        "test_status": ("X", "code", "'X' is not a code of this field"),
        "made_progress": ("2", "code", "'2' is not a code of this field"),
        "school_year": ("2024", "year", "'2024' is not the year of the delivery, 2025"),
        "school_code": ("91019999", "foreign_key", "no such value in the collection it refers to"),
        "grade": ("", "required", "the value is missing"),
        "sasid": ("12345", "type", "(value withheld) is not a 10-digit student identifier"),
    }
    for number, (field, (value, rule, reason)) in enumerate(cases.items(), start=2):
        shop.deliver("access.csv", text(changed(number, **{field: value})))
        intake = shop.take_in("access")
        assert intake.refusals == ()
        snapshot = intake.taken[0].snapshot
        assert (snapshot.rows, snapshot.accepted, snapshot.quarantined) == (300, 299, 1)
        entry = pq.read_table(shop.store.folder(snapshot) / "quarantine.parquet").to_pylist()[0]
        assert entry["_row"] == number + 1
        assert entry["rule"] == rule
        assert entry["field"] == ("" if rule == "field_count" else field)
        assert reason in entry["reason"]
        assert entry["_delivery"] == snapshot.sha256


def test_an_extra_value_does_not_hide_a_missing_one(shop: Workshop) -> None:
    """The counts of the file are right, two of its rows are not: both are named, with their own row numbers."""
    lines = access()
    lines[4] += ","
    lines[7] = lines[7].rpartition(",")[0]
    wide = Workshop(shop.settings.home.parent, access="0.01")
    wide.deliver("access.csv", text(lines))
    snapshot = wide.take_in("access").taken[0].snapshot
    entries = pq.read_table(shop.store.folder(snapshot) / "quarantine.parquet").to_pylist()
    assert [(e["_row"], e["rule"]) for e in entries] == [(5, "field_count"), (8, "field_count")]


def test_thousands_separators_are_no_number(shop: Workshop) -> None:
    lines = changed(9, overall_level='"1,234"')
    shop.deliver("access.csv", text(lines))
    snapshot = shop.take_in("access").taken[0].snapshot
    assert snapshot.violations == [("overall_level", "type", 1)]
    entry = pq.read_table(shop.store.folder(snapshot) / "quarantine.parquet").to_pylist()[0]
    assert entry["reason"] == "'1,234' is not a number"


def test_quarantine_never_holds_an_identifier(shop: Workshop) -> None:
    """Not even when columns have shifted and the identifier stands in another field."""
    lines = changed(3, test_status=student(2))
    shop.deliver("access.csv", text(lines))
    snapshot = shop.take_in("access").taken[0].snapshot
    entries = pq.read_table(shop.store.folder(snapshot) / "quarantine.parquet").to_pylist()
    assert [e["rule"] for e in entries] == ["code"]
    assert student(2) not in str(entries)
    assert len(entries[0]["subject"]) == 16


def test_harmless_dialects_give_the_same_rows(shop: Workshop) -> None:
    """BOM, CRLF, quotes, gzip, other column order and case, element codes, a workbook, Parquet: same accepted rows."""
    names = access()[0].split(",")
    turned = [",".join(reversed(line.split(","))) for line in access()]
    variants = {
        "bom.access.csv": b"\xef\xbb\xbf" + GOOD.encode(),
        "crlf.access.csv": GOOD.replace("\n", "\r\n").encode(),
        "no-end.access.csv": GOOD.rstrip("\n").encode(),
        "blank-end.access.csv": (GOOD + "\n\n").encode(),
        "quoted.access.csv": text([",".join(f'"{c}"' for c in line.split(",")) for line in access()]).encode(),
        "packed.access.csv.gz": gzip.compress(GOOD.encode()),
        "turned.access.csv": text(turned).encode(),
        "case.access.csv": GOOD.replace(access()[0], access()[0].upper()).encode(),
        "blanks.access.csv": GOOD.replace(",", " ,\t").encode(),
        "access.xlsx": workbook(cells(access())),
        "access.parquet": parquet({n: pa.array(v) for n, v in access_columns().items()}),
    }
    reference = rows_in_force(shop)
    for name, content in variants.items():
        for old in (shop.settings.landing / "2025").glob("*access*"):
            old.unlink()
        shop.deliver(name, content)
        intake = shop.take_in("access")
        assert intake.refusals == (), name
        assert rows_in_force(shop) == reference, name
    assert names[0] == "school_year"


def rows_in_force(shop: Workshop) -> list[dict[str, object]]:
    table = pq.read_table(shop.store.folder(shop.in_force("access")) / "accepted-000.parquet")
    return table.drop_columns(["_delivery"]).to_pylist()


def test_lost_leading_zeros_are_put_back_and_reported(tmp_path: Path) -> None:
    shop = Workshop(tmp_path)
    lost = ORGANISATIONS.replace("00000000", "0").replace("9101", "101")
    shop.deliver("organisations.csv", lost)
    snapshot = shop.take_in("organisations").taken[0].snapshot
    assert snapshot.quarantined == 0
    assert snapshot.repairs == {"org_code": 4, "district_code": 4}
    codes = pq.read_table(shop.store.folder(snapshot) / "accepted-000.parquet")["org_code"].to_pylist()
    assert codes == ["00000000", "01010000", "01010001", "01010002"]


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64()])
def test_parquet_with_numbers_for_codes_is_repaired(tmp_path: Path, kind: pa.DataType) -> None:
    shop = Workshop(tmp_path)
    rows = cells(ORGANISATIONS.replace("9101", "101").splitlines())
    columns = {str(name): pa.array([row[i] for row in rows[1:]]) for i, name in enumerate(rows[0])}
    for name in ("org_code", "district_code"):
        columns[name] = pa.array([float(str(row[rows[0].index(name)])) for row in rows[1:]]).cast(kind)
    shop.deliver("organisations.parquet", parquet(columns))
    snapshot = shop.take_in("organisations").taken[0].snapshot
    assert (snapshot.accepted, snapshot.repairs["org_code"]) == (4, 4)


def test_ledgers_tolerate_no_bad_row(shop: Workshop) -> None:
    shop.deliver(
        "designations.csv",
        "org_code,designation,effective_from,decided_by,reason,citation\n"
        "91010001,underperforming,2025-02-30,Commissioner,r,c\n"
        "91010002,underperforming,2024-02-29,Commissioner,r,c\n",
    )
    line = shop.take_in("designations").refusals[0]
    assert "1 of 2 rows break the contract, more than the tolerated share 0" in line
    assert "effective_from type (1 times, first in row 2)" in line


def test_hostile_content_is_data(shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quotes, SQL and formulas in values and headers are stored or refused as text; nothing of them runs."""
    monkeypatch.chdir(tmp_path)
    target = tmp_path / "owned"
    attack = "'); COPY (SELECT 1) TO 'owned'; --"
    for name in ("org_name", "town"):
        lines = ORGANISATIONS.splitlines()
        cells = lines[3].split(",")
        cells[lines[0].split(",").index(name)] = f'"{attack}"'
        shop.deliver("organisations.csv", text([*lines[:3], ",".join(cells), lines[4]]))
        intake = shop.take_in("organisations")
        assert intake.refusals == ()
        snapshot = intake.taken[0].snapshot
        assert pq.read_table(shop.store.folder(snapshot) / "accepted-000.parquet")[name].to_pylist()[2] == attack
    shop.deliver(f"access{attack}.csv", text([*access()[:1], *access(298)[1:]]))
    assert shop.take_in("access").taken[0].snapshot.rows == 298
    shop.deliver("access_x.csv", text([f'"{attack}",' + access()[0], *("1," + line for line in access()[1:])]))
    assert "not in the contract" in shop.take_in("access").refusals[0]
    assert not target.exists()


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from orchestration.errors import InputError
from tests.support.workshop import Workshop
shop = Workshop(Path(sys.argv[1]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    print(shop.take_in("access").refusals)
except InputError as error:
    print(error)
"""


@pytest.mark.parametrize("room", [512, 4096, 9000])
def test_a_full_disk_stops_the_intake_without_harm(shop: Workshop, tmp_path: Path, room: int) -> None:
    """The kernel cuts every file at `room` bytes, as a full disk would: while copying, and while writing Parquet."""
    shop.deliver("access.csv", text(access(280)))
    before = shop.fingerprint()
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path), str(room)],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        check=True,
    )
    assert (
        done.stdout.strip() == f"{shop.settings.home}: the disk is full; free space and run again, nothing was changed"
    )
    assert shop.fingerprint() == before
    assert shop.take_in("access").taken[0].snapshot.rows == 280


def test_tolerance_is_a_policy_row(shop: Workshop) -> None:
    """The same three bad rows of 300 pass or refuse the delivery by the share in the register."""
    lines = changed(3, test_status="X")
    lines[4] = lines[4].replace(",T,", ",Y,")
    lines[5] = lines[5].replace(",T,", ",Z,")
    shop.deliver("access.csv", text(lines))
    assert "3 of 300 rows" in shop.take_in("access").refusals[0]
    wider = Workshop(shop.settings.home.parent, access="0.01")
    assert wider.take_in("access").taken[0].snapshot.quarantined == 3
