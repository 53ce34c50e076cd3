"""Two computations: the dbt models and the oracle give the same figure in every cell, for generated states."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from orchestration import synthetic
from orchestration.indicators.building import build
from orchestration.settings import PROJECT
from tests.oracle.indicator_oracle import Figure, Key, indicators
from tests.support.workshop import Workshop

YEARS = [2024, 2025]
INDICATORS = {
    "chronic_absenteeism", "el_progress", "advanced_coursework", "annual_dropout", "four_year_graduation",
    "extended_engagement",
}  # fmt: skip


def state(folder: Path, students: int, seed: int) -> Workshop:
    """A generated state, taken in."""
    shop = Workshop(folder)
    landing = shop.settings.landing
    synthetic.generate(landing, students=students, years=YEARS, seed=seed, contracts=shop.contracts)
    make_awkward(landing / str(YEARS[0]))
    for year in YEARS:
        for collection in [n for n, c in shop.contracts.items() if c.source == "student"]:
            assert shop.take_in(collection, year).refusals == ()
    return shop


def make_awkward(landing: Path) -> None:
    """What the generator does not make: dropouts who left another school than October's, and cohorts of other years."""
    for name, column, every, changed in (
        ("dropouts.csv", "school_code", 2, lambda rows, i: rows[i - 1]["school_code"]),
        ("graduation_cohorts.csv", "cohort_year", 7, lambda rows, i: str(int(rows[i]["cohort_year"]) - 1)),
    ):
        with (landing / name).open(newline="") as file:
            rows = list(csv.DictReader(file))
        values = [changed(rows, i) if i % every == 0 else row[column] for i, row in enumerate(rows)]
        for row, value in zip(rows, values, strict=True):
            row[column] = value
        with (landing / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


def from_models(shop: Workshop, year: int) -> dict[Key, Figure]:
    build(year, "official", settings=shop.settings, contracts=shop.contracts, register=shop.register)
    rows = pq.read_table(shop.settings.home / "tables" / str(year) / "indicator_results.parquet").to_pylist()
    assert all(row["school_year"] == year and row["source"] == "student" for row in rows)
    columns = ("numerator", "denominator", "n", "value", "data_year", "status")
    return {
        (row["org_code"], row["gradespan"], row["student_group"], row["indicator"]): Figure(
            **{c: row[c] for c in columns}
        )
        for row in rows
    }


def from_oracle(shop: Workshop, year: int) -> dict[Key, Figure]:
    deliveries = {
        y: {
            name: [shop.store.folder(s) / "accepted.parquet" for s in parts.values()]
            for name in shop.contracts
            if (parts := shop.store.in_force(y, name, "official"))
        }
        for y in YEARS
        if y <= year
    }
    with (PROJECT / "dbt_project" / "seeds" / "advanced_courses.csv").open() as file:
        advanced = {row["subject_course_code"] for row in csv.DictReader(file)}
    return indicators(year, deliveries, advanced)


@pytest.mark.parametrize("seed", [3, 4])
def test_every_cell_is_the_same(tmp_path: Path, seed: int) -> None:
    shop = state(tmp_path, 20_000, seed)
    found, expected = from_models(shop, 2025), from_oracle(shop, 2025)
    assert {key[3] for key in expected} == INDICATORS
    schools = {key[0] for key in expected if key[0][4:] != "0000"}
    assert len(schools) >= 60
    assert {19, 20} <= {figure.n for figure in expected.values()}
    assert found == expected


def test_a_year_without_the_year_before_has_no_lagged_indicators(tmp_path: Path) -> None:
    shop = state(tmp_path, 2_000, 5)
    found = from_models(shop, 2024)
    assert found == from_oracle(shop, 2024)
    assert {key[3] for key in found} == {"chronic_absenteeism", "el_progress", "advanced_coursework"}
