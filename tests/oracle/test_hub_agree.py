"""Two computations: the dbt models and the oracle agree in every cell, for the real hub files and for made-up ones."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import fields
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from orchestration.indicators.building import build
from tests.oracle import made_up_hub
from tests.oracle.hub_oracle import Place, Result, hub_results
from tests.support.socrata import REAL_FILES
from tests.support.workshop import Workshop

REAL_YEARS = (2017, 2018)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """The real files, a delivery for each year."""
    files = sorted(REAL_FILES.glob("????-????_*.csv"))
    assert files, f"{REAL_FILES} has no hub files; these tests need the shared data beside the project"
    shop = Workshop(tmp_path_factory.mktemp("real"))
    for year in (*REAL_YEARS, 2019):
        for file in files:
            copy_year(file, year, shop.settings.landing / str(year) / file.name)
    return taken_in(shop, (*REAL_YEARS, 2019))


def copy_year(file: Path, year: int, target: Path) -> None:
    """The rows of one year, byte for byte; no file where there are none."""
    header, *lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if line.startswith(f"{year},")]
    if kept:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(header + "".join(kept), encoding="utf-8")


def taken_in(shop: Workshop, years: tuple[int, ...]) -> Workshop:
    for year in years:
        landed = {path.name[:9] for path in (shop.settings.landing / str(year)).iterdir()}
        for collection, contract in shop.contracts.items():
            if contract.dataset in landed:
                assert shop.take_in(collection, year).refusals == ()
    return shop


def from_models(shop: Workshop, year: int) -> dict[Place, Result]:
    built = build(
        year, "official", source="hub", settings=shop.settings, contracts=shop.contracts, register=shop.register
    )
    rows = pq.read_table(built.folder / "indicator_results.parquet").to_pylist()
    assert {(row["school_year"], row["source"]) for row in rows} == {(year, "hub")}
    return {
        (row["org_code"], row["gradespan"], row["student_group"], row["indicator"]): Result(
            **{field.name: row[field.name] for field in fields(Result)}
        )
        for row in rows
    }


@pytest.mark.parametrize("year", [*REAL_YEARS, 2019])
def test_every_cell_of_the_real_hub_is_the_same(real: Workshop, year: int) -> None:
    found = from_models(real, year)
    assert found == hub_results(year, REAL_FILES)
    assert len(found) > 10_000


@pytest.mark.parametrize(("year", "seed"), [(2018, 1), (2021, 2), (2022, 3)])
def test_every_cell_of_a_made_up_hub_is_the_same(tmp_path: Path, year: int, seed: int) -> None:
    shop, years = Workshop(tmp_path), (year - 2, year - 1, year)
    made_up_hub.write(shop.settings.landing, years, seed)
    found = from_models(taken_in(shop, years), year)
    assert found == hub_results(year, shop.settings.landing)
    statuses = Counter(result.status for result in found.values())
    assert {"ok", "n_too_small", "missing_source"} == set(statuses), statuses
    shorten(sorted((shop.settings.landing / str(year)).iterdir())[seed::3])
    refreshed = from_models(taken_in(shop, (year,)), year)
    assert refreshed == hub_results(year, shop.settings.landing), "after a refresh of some data sets"
    assert refreshed != found


def shorten(files: list[Path]) -> None:
    """Rows of every third organisation are gone, whole organisations, so that groups stay within All Students."""
    for file in files:
        with file.open(newline="", encoding="utf-8") as source:
            rows = list(csv.DictReader(source))
        codes = sorted({row["org_code"] for row in rows})
        with file.open("w", newline="", encoding="utf-8") as target:
            writer = csv.DictWriter(target, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(row for row in rows if row["org_code"] not in codes[2::3])


def test_counts_of_the_real_hub(real: Workshop) -> None:
    """Rows with a value, schools and the state together, so that a changed rule shows in review."""
    found = Counter(
        (year, place[3], place[1])
        for year in REAL_YEARS
        for place, result in from_models(real, year).items()
        if result.value is not None
    )
    assert found == {
        (2017, "ela_achievement", "non_high"): 1365,
        (2017, "math_achievement", "non_high"): 1365,
        (2017, "ela_growth", "non_high"): 1309,
        (2017, "math_growth", "non_high"): 1309,
        (2018, "ela_achievement", "non_high"): 1368,
        (2018, "math_achievement", "non_high"): 1367,
        (2018, "ela_growth", "non_high"): 1304,
        (2018, "math_growth", "non_high"): 1303,
        (2018, "chronic_absenteeism", "non_high"): 1460,
        (2018, "chronic_absenteeism", "high"): 397,
        (2018, "four_year_graduation", "high"): 361,
        (2018, "advanced_coursework", "high"): 378,
    }


def test_a_published_value_stands_as_it_is(real: Workshop) -> None:
    """Abington High and Woodsdale Elementary, read off the hub's files."""
    found = from_models(real, 2018)
    for place, column, value in (
        (("00010505", "high", "all_students", "four_year_graduation"), "n2xa-p822 2017 grad_pct 0.948", "94.8"),
        (("00010505", "high", "all_students", "advanced_coursework"), "ujwr-ux9i 2018 adv_comp_pct 0.811", "81.1"),
        (("00010015", "non_high", "all_students", "chronic_absenteeism"), "ak6h-9k7x pct_chron_abs_10 0.064", "6.4"),
    ):
        assert str(found[place].value) == value, column
    assert (found["00010505", "high", "all_students", "four_year_graduation"].n) == 97


def test_the_year_before_is_not_replaced_by_another(real: Workshop) -> None:
    """The hub files in hand have dropout of 2018 only: nothing for 2018, everything for 2019."""
    place = ("00010505", "high", "all_students", "annual_dropout")
    assert from_models(real, 2018)[place].status == "missing_source"
    then = from_models(real, 2019)[place]
    with next(REAL_FILES.glob("cmm7-ttbg_*.csv")).open(newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["org_code"] == place[0])
    assert (str(then.value), then.numerator, then.n, then.data_year) == ("1.2", 6, int(row["enroll_cnt_all"]), 2018)
