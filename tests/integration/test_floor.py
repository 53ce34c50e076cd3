"""The scripts that the build is measured against make the same tables, so that a ratio compares like with like."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import floor
from benchmarks.tables import KEYS, SOURCES, accepted, delivered, is_equal
from orchestration import synthetic
from orchestration.indicators.building import build
from tests.support.workshop import Workshop

YEAR = 2025


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    shop = Workshop(tmp_path_factory.mktemp("floor"))
    years = [YEAR - 1, YEAR]
    synthetic.generate(shop.settings.landing, students=2_000, years=years, seed=5, contracts=shop.contracts)
    for year in years:
        for collection in [n for n, c in shop.contracts.items() if c.source == "student"]:
            assert shop.take_in(collection, year).refusals == ()
    return shop


@pytest.fixture(scope="module")
def built(shop: Workshop) -> Path:
    return build(YEAR, "official", settings=shop.settings, contracts=shop.contracts, register=shop.register).folder


@pytest.mark.parametrize("is_raw", [False, True])
def test_the_floor_makes_the_tables_of_the_build(shop: Workshop, built: Path, tmp_path: Path, is_raw: bool) -> None:
    find, folder = (delivered, shop.settings.landing) if is_raw else (accepted, shop.settings.home)
    floor.make({n: find(folder, YEAR - back, c) for n, (c, back) in SOURCES.items()}, YEAR, tmp_path)
    for table in KEYS:
        assert is_equal(table, tmp_path, built)
