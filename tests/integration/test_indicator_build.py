"""A build that fails names what failed and leaves the last good tables; the same inputs give the same bytes."""

from __future__ import annotations

import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration import synthetic
from orchestration.errors import InputError
from orchestration.files import sha256_of
from orchestration.indicators.building import ROOM, TABLES, Built, build
from orchestration.settings import PROJECT
from orchestration.tables import RECORD, folder_of
from tests.support.workshop import Workshop

YEAR = 2025


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    shop = Workshop(tmp_path_factory.mktemp("build"))
    synthetic.generate(shop.settings.landing, students=2_000, years=[YEAR], seed=2, contracts=shop.contracts)
    for collection in [n for n, c in shop.contracts.items() if c.source == "student"]:
        assert shop.take_in(collection).refusals == ()
    make(shop)
    return shop


def make(shop: Workshop) -> Built:
    return build(YEAR, "official", settings=shop.settings, contracts=shop.contracts, register=shop.register)


def tables(shop: Workshop) -> dict[str, str]:
    return {p.name: sha256_of(p) for p in folder_of(shop.settings.home, ROOM, "student", YEAR).iterdir()}


def forget(shop: Workshop) -> dict[str, str]:
    """Let the next build find that something changed. Returns the tables as they are then."""
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
    assert list((shop.settings.home / "build").iterdir()) == []
    assert set((PROJECT / "dbt_project").rglob("*")) == project, "a build writes nothing beside the models"


def test_nothing_is_made_again_for_the_same_inputs_and_rules(shop: Workshop) -> None:
    make(shop)
    assert not make(shop).is_new
    forget(shop)
    assert make(shop).is_new


def test_a_row_that_breaks_a_dbt_test_stops_the_build(shop: Workshop) -> None:
    """An organisation without a code can only come from a damaged snapshot: the build stops, the tables stay."""
    before = forget(shop)
    accepted = shop.store.folder(shop.in_force("access")) / "accepted.parquet"
    good = accepted.read_bytes()
    table = pq.read_table(accepted)
    codes = pa.array([None] * table.num_rows, pa.string())
    accepted.chmod(0o600)
    pq.write_table(table.set_column(table.schema.get_field_index("school_code"), "school_code", codes), accepted)
    try:
        with pytest.raises(InputError, match=r"not_null_indicator_results_org_code.* fail .*nothing was replaced"):
            make(shop)
    finally:
        accepted.write_bytes(good)
    assert tables(shop) == before


def test_a_model_that_cannot_read_stops_the_build(shop: Workshop) -> None:
    before = forget(shop)
    accepted = shop.store.folder(shop.in_force("access")) / "accepted.parquet"
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
