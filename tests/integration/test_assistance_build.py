"""Tables of assistance from tables of earlier rooms and from published lists: files, bytes, command line."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from openpyxl import load_workbook
from typer.testing import CliRunner

from orchestration.assistance.assets import assistance_assets
from orchestration.assistance.assisting import assist as decide_all
from orchestration.assistance.building import ROOM, build, build_published
from orchestration.assistance.reading import Determination, Inputs, Organisation, PlanLine, StaffRow
from orchestration.assistance.workbooks import write_workbooks
from orchestration.assistance.writing import TABLES
from orchestration.commands.assisting import assist
from orchestration.errors import InputError
from orchestration.files import sha256_of
from orchestration.lineage.columns import column_lineage
from orchestration.partitions import WRITER
from orchestration.releases import MANIFEST, published
from orchestration.settings import PROJECT, Settings
from orchestration.tables import RECORD, folder_of, replacing
from tests.support import assistance as made
from tests.support.determinations import REGISTER
from tests.support.lineage import declared, listen
from tests.support.socrata import REAL_FILES

PERCENTILES = REAL_FILES / "published_school_percentiles_2025.csv"
DIRECTORY = REAL_FILES / "school_directory_2026.csv"
WESTERN = {f"{name} County" for name in ("Berkshire", "Franklin", "Hampshire", "Hampden", "Worcester")}
RECEIVERSHIPS = {"01490000", "01370000", "02770000"}
SCHOOLS = {"50010001": (4, 8), "50010002": (30, 3), "50020001": (9, None), "60010001": (2, 2), "60010002": (80, 81)}
COUNTIES = {"5001": "Essex County", "5002": "Suffolk County", "6001": "Worcester County"}

runner = CliRunner()


def write(folder: Path, name: str, rows: list[Any], fields: tuple[str, ...], kinds: dict[str, pa.DataType]) -> None:
    columns = {f: pa.array([getattr(r, f) for r in rows], kinds.get(f, pa.string())) for f in fields}
    pq.write_table(pa.table(columns), folder / f"{name}.parquet")


def put_year(indicators: Path, determinations: Path, place: int, staff: list[StaffRow], plans: list[PlanLine]) -> None:
    """What the two rooms say of a year; `place` picks the percentiles."""
    known = {code: values[place] for code, values in SCHOOLS.items() if values[place] is not None}
    codes = sorted({*known, *(f"{code[:4]}0000" for code in known)})
    organisations = [made.organisation(code, county=COUNTIES[code[:4]]) for code in codes]
    counts = {"enrolment": pa.int64(), "high_needs": pa.int64()}
    write(indicators, "organisations", organisations, Organisation._fields, counts)
    days = {"active_from": pa.date32(), "active_until": pa.date32(), "capacity": pa.int64()}
    write(indicators, "assistance_staff", staff, StaffRow._fields, days)
    amounts = {"agreed_on": pa.date32(), "planned": pa.decimal128(9, 1), "delivered": pa.decimal128(9, 1)}
    write(indicators, "assistance_plans", plans, PlanLine._fields, amounts)
    rows = [made.determination(code, percentile=known.get(code)) for code in codes]
    write(determinations, "determinations", rows, Determination._fields, {"percentile": pa.int32()})
    federal = {"org_code": ["50010001"], "designation": ["Comprehensive Support and Improvement (CSI)"]}
    pq.write_table(pa.table(federal), determinations / "federal_designations.parquet")


def put_release(home: Path, number: int) -> None:
    """An official release of 2024, as far as the room reads one."""
    folder = published(home, 2024) / f"student-official-{number:03d}"
    folder.mkdir(parents=True)
    put_year(folder, folder, 1, [], [])
    (folder / MANIFEST).write_text(json.dumps({"content_sha256": f"content of {number}"}))


def put_tables(home: Path, staff: list[StaffRow], plans: list[PlanLine]) -> Settings:
    """Tables of the indicator and determination rooms of 2025, and a release of 2024."""
    indicators, determinations = (folder_of(home, room, "student", 2025) for room in ("indicators", "determinations"))
    with replacing(indicators, home, {"fingerprint": "i", "rows": {}}) as one:  # noqa: SIM117
        with replacing(determinations, home, {"fingerprint": "d", "rows": {}}) as other:
            put_year(one, other, 0, staff, plans)
    put_release(home, 1)
    return Settings(home=home)


@pytest.fixture
def shop(tmp_path: Path) -> Settings:
    staff = [*made.lead("A", "50010000", capacity=1), *made.lead("B", region="West/Central")]
    plan = PlanLine("1", "50010000", "50010001", "A", date(2024, 9, 1), "data", "days", Decimal(5), Decimal(5), "done")
    return put_tables(tmp_path / "home", staff, [plan])


def rows_of(settings: Settings, table: str, source: str = "student") -> list[dict[str, str]]:
    with (folder_of(settings.home, ROOM, source, 2025) / f"{table}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def app() -> typer.Typer:
    found = typer.Typer(pretty_exceptions_enable=False)
    found.command()(assist)
    return found


def test_tables_hold_what_was_decided(shop: Settings) -> None:
    built = build(2025, "student", settings=shop, register=REGISTER)
    assert built.is_new
    assert built.rows == {
        "assistance_eligibility": 7, "assistance_assignments": 3, "assistance_optimality": 10,
        "assistance_leadership": 3, "assistance_equity": 15, "assistance_plan_checks": 1, "assistance_plan_review": 6,
    }  # fmt: skip
    for table, columns in TABLES.items():
        stored = pq.read_table(built.folder / f"{table}.parquet")
        assert dict(zip(stored.schema.names, stored.schema.types, strict=True)) == columns
    eligible = {row["org_code"]: row for row in rows_of(shop, "assistance_eligibility")}
    assert {code: row["change"] for code, row in eligible.items()} == {
        "50010000": "continuing", "50010001": "continuing", "50010002": "exited", "50020000": "entered",
        "50020001": "entered", "60010000": "continuing", "60010001": "continuing",
    }  # fmt: skip
    assert eligible["50010001"]["federal_designation"] == "Comprehensive Support and Improvement (CSI)"
    assert eligible["50010001"]["high_needs_share"] == "60.0"
    assert eligible["50010001"]["trace_key"] == "2025/50010001/classification"
    leads = {row["district_code"]: row["lead"] for row in rows_of(shop, "assistance_assignments")}
    assert leads == {"50010000": "A", "50020000": "", "60010000": "B"}
    assert built.lacking == (
        "Coastal: 2 districts, 1 Lead with room for 1; 1 more Lead is needed; without a Lead: 50020000 Org 50020000",
    )


def test_lineage_names_every_column_that_is_read_and_no_other(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lineage.yml declares is held against what the code asks its readers for, of this year and the one before."""
    read = listen(monkeypatch)
    build(2025, "student", settings=shop, register=REGISTER)
    lineage = column_lineage("student")
    assert read == declared(lineage, TABLES)
    assert {table: list(lineage[table]) for table in TABLES} == {t: list(columns) for t, columns in TABLES.items()}
    known = {table: set(columns) for table, columns in lineage.items()}
    pairs = {pair for table in TABLES for found in lineage[table].values() for pair in found}
    assert [pair for pair in pairs if pair[1] not in known[pair[0]]] == [], "lineage names a column that there is not"


def test_nothing_is_made_again_for_the_same_tables(shop: Settings) -> None:
    first = build(2025, "student", settings=shop, register=REGISTER)
    again = build(2025, "student", settings=shop, register=REGISTER)
    assert (again.is_new, again.rows, again.lacking) == (False, first.rows, first.lacking)
    put_release(shop.home, 2)
    assert build(2025, "student", settings=shop, register=REGISTER).is_new, "the year compared with has changed"


def test_two_processes_write_the_same_bytes(shop: Settings) -> None:
    code = (
        "import sys; from pathlib import Path; from orchestration.settings import Settings; "
        "from orchestration.policy import load_register; from orchestration.assistance.building import build; "
        "s = Settings(home=Path(sys.argv[1])); build(2025, 'student', settings=s, register=load_register(s.policy))"
    )
    folder = folder_of(shop.home, ROOM, "student", 2025)
    digests = []
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", code, str(shop.home)], cwd=PROJECT, env=environment, check=True)
        digests.append({file.name: sha256_of(file) for file in folder.iterdir()})
        folder.unlink()
    assert digests[0] == digests[1]
    assert {RECORD, *(f"{table}.{ending}" for table in TABLES for ending in ("csv", "parquet"))} <= set(digests[0])


def test_the_assets_of_a_source(shop: Settings) -> None:
    assets = assistance_assets("student", shop, REGISTER)
    assert {key.path[-1] for key in assets.keys} == set(TABLES)
    resources = {WRITER: dg.ResourceDefinition.hardcoded_resource(None)}
    done = dg.materialize([assets], partition_key="2025", resources=resources)
    made_now = {m.asset_key.path[-1]: m.metadata for m in done.asset_materializations_for_node("student_assistance")}
    assert made_now["assistance_eligibility"]["dagster/row_count"].value == 7
    assert made_now["assistance_eligibility"]["regions_short_of_leads"].value == 1
    skipped = dg.materialize([assets], partition_key="2020", resources=resources)
    assert skipped.success
    nothing = skipped.asset_materializations_for_node("student_assistance")
    assert {m.metadata["nothing_made"].value for m in nothing} == {"the calendar has no determinations in 2020"}


def test_the_workbook_of_a_region_says_what_the_tables_say(shop: Settings) -> None:
    folder = build(2025, "student", settings=shop, register=REGISTER).folder
    assert sorted(p.name for p in folder.glob("*.xlsx")) == ["assistance_coastal.xlsx", "assistance_west_central.xlsx"]
    book = load_workbook(folder / "assistance_coastal.xlsx")
    assert book.sheetnames == ["Summary", "Schools", "Districts", "Plans"]
    summary = [[cell.value for cell in row] for row in book["Summary"].iter_rows()]
    figures = {row[0]: row[1] for row in summary}
    assert summary[1][0].startswith("Coastal: 2 districts, 1 Lead with room for 1; 1 more Lead is needed")
    assert (figures["Schools with a claim"], figures["Leads missing"], figures["Districts due a Lead"]) == (2, 1, 2)
    assert ["A", 1, 1, 500, 300, 1.8, None, "Org 50010000"] in [row[:8] for row in summary]
    listed = [row[0].value for row in book["Schools"].iter_rows(min_row=2)]
    assert listed == ["50010001", "50010002", "50020001"]
    assert len(book["Summary"]._charts) == 1


def test_a_name_that_begins_like_a_formula_stays_text(tmp_path: Path) -> None:
    rows = {"50010000": {}, "50010001": {"org_name": "=1+1"}}
    state = made.tables(
        [made.organisation(code, **values) for code, values in rows.items()],
        [made.determination("50010001", percentile=1)],
    )
    done = decide_all(Inputs(state, None, tuple(made.lead("A"))), made.BOTH, made.CROSSWALK)
    (file,) = write_workbooks(tmp_path, done, 2025)
    cell = load_workbook(file)["Schools"]["B2"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")


def test_a_year_without_tables_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there are no indicators tables of 2025; run that year first"):
        build(2025, "student", settings=Settings(home=tmp_path), register=REGISTER)


def test_the_real_lists(tmp_path: Path) -> None:
    assert PERCENTILES.exists(), f"{PERCENTILES} is missing: put the folder shared beside the checkout"
    settings = Settings(home=tmp_path)
    build_published(2025, PERCENTILES, DIRECTORY, None, settings=settings, register=REGISTER)
    with DIRECTORY.open(newline="") as file:
        where = {row["org_code"]: (row["dist_code"], row["county"]) for row in csv.DictReader(file)}
    with PERCENTILES.open(newline="") as file:
        lists = list(csv.DictReader(file))
    flagged = {row["org_code"] for row in lists if row["is_requiring_assistance"] == "True"}
    lowest = {row["org_code"] for row in lists if row["accntblty_pctle"] and float(row["accntblty_pctle"]) <= 10}
    assert (len(flagged), len(lowest), lowest <= flagged) == (275, 149, True)

    def region(code: str) -> str:
        district, county = where[code]
        if district in RECEIVERSHIPS:
            return "Strategic Transformation"
        return "West/Central" if county in WESTERN or district == "02360000" else "Coastal"

    rows = rows_of(settings, "assistance_eligibility", "published")
    schools = {row["org_code"]: row for row in rows if row["org_type"] == "school"}
    districts = {row["org_code"]: row for row in rows if row["org_type"] == "district"}
    assert schools.keys() == flagged
    assert {code for code, row in schools.items() if "lowest_percentile" in row["grounds"]} == lowest
    assert {code: row["region"] for code, row in schools.items()} == {code: region(code) for code in flagged}
    assert districts.keys() == {where[code][0] for code in flagged}
    assert Counter(row["region"] for row in schools.values()) == {
        "Coastal": 170, "West/Central": 87, "Strategic Transformation": 18,
    }  # fmt: skip
    loads = rows_of(settings, "assistance_assignments", "published")
    lacking = {(row["enrolment"], row["high_needs"], row["load_lacks"]) for row in loads}
    assert lacking == {("", "", "enrolment; high_needs")}, "the lists have neither"
    assert Counter(row["region"] for row in districts.values()) == {
        "Coastal": 55, "West/Central": 36, "Strategic Transformation": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("percentiles", "directory", "fragment"),
    [
        ("2024,School,00010000,00010001,5,True", None, "no row with sy 2025"),
        ("2025,School,00010000,00010009,5,True", None, "row 2: org_code '00010009' is not in"),
        ("2025,School,00010000,00010001,100,True", None, "row 2: accntblty_pctle '100'"),
        ("2025,School,00010000,00010001,5,yes", None, "row 2: is_requiring_assistance 'yes'"),
        ("2025,School,00010000,00010001", None, "row 2: does not have as many values"),
        (
            "2025,School,00010000,00010001,5,True",
            "00010001,A,Nowhere,Abington,00010000,",
            "school 00010001 A has no region .town Nowhere",
        ),
        ("2025,School,00010000,00010001,5,True", "1,A,Abington,Abington,1,Plymouth", "does not have 8 digits"),
    ],
)
def test_published_files_that_cannot_be(tmp_path: Path, percentiles: str, directory: str | None, fragment: str) -> None:
    lists, schools = tmp_path / "percentiles.csv", tmp_path / "directory.csv"
    lists.write_text(f"sy,org_type,dist_code,org_code,accntblty_pctle,is_requiring_assistance\n{percentiles}\n")
    row = directory or "00010001,A,Abington,Abington,00010000,Plymouth County"
    schools.write_text(f"org_code,name,town,dist_name,dist_code,county\n{row}\n")
    with pytest.raises(InputError, match=fragment):
        build_published(2025, lists, schools, None, settings=Settings(home=tmp_path / "home"), register=REGISTER)


def test_the_command_prints_the_real_regions(tmp_path: Path) -> None:
    arguments = ["--year", "2025", "--from", "published", str(PERCENTILES), "--home", str(tmp_path)]
    done = runner.invoke(app(), arguments, catch_exceptions=False)
    assert done.exit_code == 0
    cells = {line.split("  ")[1].strip(): line.split() for line in done.stdout.splitlines() if line.startswith("  ")}
    assert cells["all"][1:6] == ["275", "149", "94", "94", "32"]
    assert cells["Coastal"][1:6] == ["170", "85", "55", "55", "19"]


def test_the_command_prints_the_assignment_and_names_what_is_missing(shop: Settings) -> None:
    done = runner.invoke(app(), ["--year", "2025", "--home", str(shop.home)], catch_exceptions=False)
    assert done.exit_code == 0
    assert "2025: Assistance Leads" in done.stdout
    assert "warning: Coastal: 2 districts, 1 Lead with room for 1; 1 more Lead is needed" in done.stderr
    assert (folder_of(shop.home, ROOM, "student", 2025) / RECORD).exists()


def test_the_command_looks_at_another_day_without_writing(shop: Settings) -> None:
    arguments = ["--year", "2025", "--on", "2019-01-01", "--home", str(shop.home)]
    done = runner.invoke(app(), arguments, catch_exceptions=False)
    assert done.exit_code == 0
    assert "2025: Assistance Leads" not in done.stdout, "nobody was at work then"
    assert not folder_of(shop.home, ROOM, "student", 2025).exists()


@pytest.mark.parametrize(
    ("arguments", "exit_code", "fragment"),
    [
        (["--year", "2025", "--from", "newspaper", "x.csv"], 2, "is not known"),
        (["--year", "2025", "--directory", "x.csv"], 2, "goes with --from"),
        (["--year", "2025", "--on", "tomorrow"], 2, "is not a day"),
    ],
)
def test_wrong_usage(arguments: list[str], exit_code: int, fragment: str) -> None:
    done = runner.invoke(app(), arguments)
    assert done.exit_code == exit_code
    assert fragment in done.output


@pytest.mark.parametrize("year", ["2020", "2016"])
def test_a_year_without_determinations_is_refused(year: str) -> None:
    with pytest.raises(InputError, match=f"--year {year}: the calendar has no determinations"):
        runner.invoke(app(), ["--year", year], catch_exceptions=False)
