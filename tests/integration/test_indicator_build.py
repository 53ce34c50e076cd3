"""A build that fails names what failed and leaves the last good tables; the same inputs give the same bytes.

The Department's workbook goes the whole way here: from the file that was delivered to the targets of the year.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration import synthetic
from orchestration.determinations.building import build as build_determinations
from orchestration.errors import InputError
from orchestration.files import sha256_of
from orchestration.indicators import assets
from orchestration.indicators.building import ROOM, TABLES, Built, build
from orchestration.indicators.correcting import APPLIED
from orchestration.indicators.last_build import FOLDER
from orchestration.indicators.versioning import code_versions
from orchestration.intake.assets import raw_key
from orchestration.intake.contracts import expand_years
from orchestration.lineage.models import models_of
from orchestration.partitions import table_key
from orchestration.settings import PROJECT
from orchestration.table_assets import LINEAGE, ROWS, SCHEMA
from orchestration.tables import RECORD, folder_of
from tests.support.staleness import Lab
from tests.support.workshop import CONTRACTS, Workshop

YEAR = 2025
DELIVERED = [name for name, contract in CONTRACTS.items() if contract.source in ("student", "ledger")]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    shop = Workshop(tmp_path_factory.mktemp("build"))
    synthetic.generate(shop.settings.landing, students=2_000, years=[YEAR], seed=2, contracts=shop.contracts)
    for collection in DELIVERED:
        assert shop.take_in(collection).refusals == ()
    make(shop)
    return shop


def make(shop: Workshop) -> Built:
    return build(YEAR, "official", settings=shop.settings, contracts=shop.contracts, register=shop.register)


def tables(shop: Workshop) -> dict[str, str]:
    return {p.name: sha256_of(p) for p in folder_of(shop.settings.home, ROOM, "student", YEAR).iterdir()}


def forget(shop: Workshop) -> dict[str, str]:
    """Let the next build find that everything changed. Returns the tables as they are then."""
    shutil.rmtree(shop.settings.home / FOLDER)
    record = folder_of(shop.settings.home, ROOM, "student", YEAR) / RECORD
    record.write_text(record.read_text().replace('"fingerprint": "', '"fingerprint": "another '))
    return tables(shop)


def test_the_same_inputs_give_the_same_bytes(shop: Workshop) -> None:
    before, project = tables(shop), set((PROJECT / "dbt_project").rglob("*"))
    assert set(before) == {
        RECORD,
        *(f"{name}.{form}" for name in TABLES for form in ("csv", "parquet")),
    }
    shutil.rmtree(shop.settings.home / "tables")
    again = make(shop)
    assert again.is_new
    assert again.rows["indicator_results"] > 100
    assert tables(shop) == before
    leftovers = [
        p.name for p in (shop.settings.home / "tables" / ROOM / "student").iterdir() if not p.name.startswith(".made-")
    ]
    assert leftovers == [str(YEAR)]
    assert not (shop.settings.home / "build").exists(), "scratch is for readers"
    assert set((PROJECT / "dbt_project").rglob("*")) == project, "a build writes nothing beside the models"


def test_nothing_is_made_again_for_the_same_inputs_and_rules(shop: Workshop) -> None:
    make(shop)
    assert not make(shop).is_new
    forget(shop)
    assert make(shop).is_new


def test_dagster_shows_each_model_and_what_is_stale_after_a_change(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the tables as built above, so that nothing is built here."""
    versions, lab = code_versions("student"), Lab(shop)
    keys = [table_key("student", name) for name in versions]
    lab.run(YEAR, [*map(raw_key, DELIVERED), *keys])
    rows = {}
    for key in keys:
        event = lab.instance.get_latest_materialization_event(key)
        assert event is not None
        made = event.asset_materialization
        assert made is not None
        assert made.tags is not None
        assert made.tags["dagster/code_version"] == versions[key.path[1]]
        assert made.metadata["made_now"].value is False
        assert {SCHEMA, LINEAGE} <= set(made.metadata), key
        if ROWS in made.metadata:
            rows[key.path[1]] = made.metadata[ROWS].value
    assert rows["stg_access"] == shop.in_force("access").accepted > 0
    assert rows["int_student_attributes"] > 500, "a row a student"
    uncounted = {m.name for m in models_of("student").values() if m.materialized == "view" and not m.reads}
    assert {key.path[1] for key in keys} - set(rows) == uncounted
    assert lab.stale(YEAR, keys) == {}

    lab.again("access", YEAR)
    found = lab.stale(YEAR, keys)
    assert set(found) == {"stg_access", "stg_access_prior", APPLIED}, "a step has one mapping of years a collection"
    edited = versions | {"int_growth": "edited"}
    monkeypatch.setattr(
        assets, "code_versions", lambda source: edited if source == "student" else code_versions(source)
    )
    assert lab.stale(YEAR, keys) == found | {"int_growth": ["CODE"]}


@contextmanager
def damaged(shop: Workshop, collection: str, damage: Callable[[pa.Table], pa.Table]) -> Iterator[None]:
    """A snapshot with other rows than were accepted, as long as the block runs."""
    accepted = shop.store.folder(shop.in_force(collection)) / "accepted-000.parquet"
    good = accepted.read_bytes()
    accepted.chmod(0o600)
    pq.write_table(damage(pq.read_table(accepted)), accepted)
    try:
        yield
    finally:
        accepted.write_bytes(good)


def without_codes(rows: pa.Table) -> pa.Table:
    at = rows.schema.get_field_index("school_code")
    return rows.set_column(at, "school_code", pa.nulls(rows.num_rows, pa.string()))


def with_a_row_twice(rows: pa.Table) -> pa.Table:
    return pa.concat_tables([rows, rows.slice(rows.num_rows - 1)])


@pytest.mark.parametrize(
    ("collection", "damage", "said"),
    [
        pytest.param(
            "access", without_codes, r"indicator_results error .NOT NULL constraint .*org_code.", id="contract"
        ),
        pytest.param(
            "organisations", with_a_row_twice, r"unique_key_organisations_org_code.* fail .1 rows.", id="test"
        ),
    ],
)
def test_a_row_that_breaks_a_contract_or_a_test_stops_the_build(
    shop: Workshop, collection: str, damage: Callable[[pa.Table], pa.Table], said: str
) -> None:
    """Such rows can only come from a damaged snapshot: the build stops, the tables stay."""
    before = forget(shop)
    with damaged(shop, collection, damage), pytest.raises(InputError, match=f"{said}.*; nothing was replaced"):
        make(shop)
    assert tables(shop) == before


def test_a_model_that_cannot_read_stops_the_build(shop: Workshop) -> None:
    before = forget(shop)
    accepted = shop.store.folder(shop.in_force("access")) / "accepted-000.parquet"
    aside = accepted.rename(accepted.with_name("aside"))
    try:
        with pytest.raises(InputError, match=r"dbt build of 2025: accountability.stg_access error"):
            make(shop)
    finally:
        aside.rename(accepted)
    assert tables(shop) == before


def test_a_year_of_which_nothing_is_in_force_is_named(shop: Workshop) -> None:
    with pytest.raises(InputError, match="nothing of 2024 is in force"):
        build(2024, "official", settings=shop.settings, contracts=shop.contracts, register=shop.register)


def workbook(shop: Workshop, rows: list[dict[str, object]]) -> bytes:
    """The workbook as the Department publishes it: a title, the headers of the year, a row a group."""
    contract = shop.contracts["published_targets"]
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = contract.sheet
    sheet.append(["Accountability targets"])
    sheet.append([expand_years(field.code, YEAR) for field in contract.fields.values()])
    for row in rows:
        sheet.append([row.get(name) for name in contract.fields])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def targets_by_place(shop: Workshop) -> dict[tuple[str, ...], dict[str, Any]]:
    """Rows of indicator_targets by organisation, gradespan, group and indicator."""
    made = build_determinations(YEAR, "student", settings=shop.settings, register=shop.register)
    key = ("org_code", "gradespan", "student_group", "indicator")
    rows = pq.read_table(made.folder / "indicator_targets.parquet").to_pylist()
    return {tuple(row[name] for name in key): row for row in rows}


def test_a_target_of_the_delivered_workbook_is_the_target_of_the_year(shop: Workshop) -> None:
    make(shop)
    before = targets_by_place(shop)
    assert {row["source"] for row in before.values()} == {"generated"}
    place = min(key[:3] for key in before if key[2:] == ("all_students", "ela_achievement") and key[1] == "non_high")
    absent, ela = (*place, "chronic_absenteeism"), (*place, "ela_achievement")
    org = place[0]
    row: dict[str, object] = {
        "district_code": f"{org[:4]}0000", "org_code": org, "student_group": "All Students",
        "gradespan": "Non-high school", "ela_baseline": 495.1, "ela_included": 50, "ela_path": "Recovery Path",
        "ela_target": 498.4, "ela_increment_next": 1.5, "chronic_absenteeism_target": 12.5,
        "chronic_absenteeism_increment": 2.0,
    }  # fmt: skip
    shop.deliver("published_targets.xlsx", workbook(shop, [row]))
    assert shop.take_in("published_targets").refusals == ()
    make(shop)
    after = targets_by_place(shop)
    names = ("baseline", "target", "increment", "next_target", "path", "source", "status")
    assert [str(after[ela][name]) for name in names] == [
        "495.1", "498.4", "1.5", "499.9", "Recovery Path", "published", "ok",
    ]  # fmt: skip
    assert [str(after[absent][name]) for name in ("target", "next_target", "source")] == ["12.5", "10.5", "published"]
    changed = {key for key in after.keys() | before.keys() if after.get(key) != before.get(key)}
    assert changed == {ela, absent}
