"""Two computations: the dbt models and the oracle give the same figure in every cell, for generated states."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

import pyarrow.parquet as pq
import pytest

from orchestration import synthetic
from orchestration.indicators.building import build
from orchestration.settings import PROJECT
from tests.oracle.indicator_oracle import Delivery, Figure, Key
from tests.oracle.mcas_oracle import indicator_results
from tests.oracle.participation_oracle import ParticipationFigure, ParticipationKey, participation
from tests.support.workshop import Workshop

YEARS = [2024, 2025]
INDICATORS = {
    "chronic_absenteeism", "el_progress", "advanced_coursework", "annual_dropout", "four_year_graduation",
    "extended_engagement", "ela_achievement", "math_achievement", "science_achievement", "ela_growth", "math_growth",
}  # fmt: skip
LAGGED = {"annual_dropout", "four_year_graduation", "extended_engagement"}
SUBJECTS = ("ela", "math", "science")

Row = dict[str, str]
Results = dict[Key, Figure]
Rates = dict[ParticipationKey, ParticipationFigure]
F = TypeVar("F", Figure, ParticipationFigure)


# --- Deliveries ------------------------------------------------------------------------------------------------------


def state(folder: Path, students: int, seed: int, years: list[int] = YEARS) -> Workshop:
    """A generated state, taken in."""
    shop = Workshop(folder)
    landing = shop.settings.landing
    synthetic.generate(landing, students=students, years=years, seed=seed, contracts=shop.contracts)
    make_awkward(landing / str(years[0]))
    for year in years:
        make_tests_awkward(landing / str(year), missing_every=11 if year == years[0] else 29)
    for year in years:
        for collection in [n for n, c in shop.contracts.items() if c.source == "student"]:
            intake = shop.take_in(collection, year)
            assert intake.refusals == ()
    return shop


def change(path: Path, how: Callable[[list[Row]], None]) -> None:
    """Change the rows of a delivered CSV file."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    how(rows)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def make_awkward(landing: Path) -> None:
    """What the generator does not make: dropouts who left another school than October's, and cohorts of other years."""

    def leave_elsewhere(rows: list[Row]) -> None:
        schools = [row["school_code"] for row in rows]
        for i in range(0, len(rows), 2):
            rows[i]["school_code"] = schools[i - 1]

    def other_cohorts(rows: list[Row]) -> None:
        for row in rows[::7]:
            row["cohort_year"] = str(int(row["cohort_year"]) - 1)

    change(landing / "dropouts.csv", leave_elsewhere)
    change(landing / "graduation_cohorts.csv", other_cohorts)


def make_tests_awkward(landing: Path, missing_every: int) -> None:
    """Test rows that the generator does not make, and that the contract lets pass.

    Steps that share no factor, so that every two of the changes meet in some row.
    """

    def tests(rows: list[Row]) -> None:
        schools = [(row["school_code"], row["district_code"]) for row in rows]
        for i, row in enumerate(rows):
            if i % 3 == 0:  # ties
                for name in (
                    "ela_scaled_score",
                    "math_scaled_score",
                    "ela_legacy_equivalent",
                    "math_legacy_equivalent",
                ):
                    if row[name]:
                        row[name] = str(int(row[name]) // 10 * 10)
            if i % missing_every == 0:  # tested, without a score
                row[f"{SUBJECTS[i % 2]}_scaled_score"] = ""
            if i % 13 == 0:  # tested, without what a CPI year needs
                row[f"{SUBJECTS[i % 3]}_legacy_equivalent"] = ""
            if i % 17 == 0:  # another status, with the score, level and percentile left in place
                subject = SUBJECTS[i // 17 % 3]
                if row[f"{subject}_test_status"]:
                    row[f"{subject}_test_status"] = ("TR", "NTM", "NTL", "NTA", "NTO")[i // 51 % 5]
            if i % 19 == 0:  # no attempt, status as it is
                row[f"{SUBJECTS[i // 19 % 3]}_attempt"] = "N"
            if i % 23 == 0:  # tested elsewhere than enrolled
                row["school_code"], row["district_code"] = schools[i - len(rows) // 5]
            if i % 31 == 0:  # no best science result, or no status beside one
                column = ("science_highest_scaled_score", "science_highest_legacy_score", "science_test_status")[i % 3]
                row[column] = ""
            if i % 37 == 0 and row["grade"] in ("08", "10"):  # both gradespans in one school
                row["grade"] = "10" if row["grade"] == "08" else "08"
            if i % 41 == 0:  # no percentile
                row["ela_growth_percentile"] = ""
            if row["math_assessment"] == "AL":  # a percentile that does not exist
                row["math_growth_percentile"] = "50"
            if i % 7 == 0:  # a best science result below that of the year's own test
                for column, lowest in (("science_highest_scaled_score", 440), ("science_highest_legacy_score", 200)):
                    if row[column]:
                        row[column] = str(max(lowest, int(row[column]) - 12))
            if i % 43 == 0:  # tested, nobody knows with what
                row[f"{SUBJECTS[i % 3]}_assessment"] = ""

    def attributes(rows: list[Row]) -> None:
        for row in rows[::97]:
            row["el_first_year"] = "01"
        for row in rows[::43]:
            row["enrolled_since_october"] = "0"
        for row in rows[::47]:
            row["enrolled_since_october"] = ""

    change(landing / "mcas.csv", tests)
    change(landing / "sims_end_of_year.csv", attributes)


# --- The two computations --------------------------------------------------------------------------------------------


def from_models(shop: Workshop, year: int) -> tuple[Results, Rates]:
    built = build(year, "official", settings=shop.settings, contracts=shop.contracts, register=shop.register)
    key = ("org_code", "gradespan", "student_group")
    return (
        table(built.folder, year, "indicator_results", (*key, "indicator"), Figure),
        table(built.folder, year, "participation_results", (*key, "subject"), ParticipationFigure),
    )


def table(
    folder: Path, year: int, name: str, key: tuple[str, str, str, str], figure: type[F]
) -> dict[tuple[str, str, str, str], F]:
    """A built table as figures by key; what is the same in every row or follows from the key is checked here."""
    rows = pq.read_table(folder / f"{name}.parquet").to_pylist()
    assert all(row["school_year"] == year and row["source"] == "student" for row in rows)
    assert all(row["org_type"] == org_type(row["org_code"]) for row in rows)
    figures = {
        (row[key[0]], row[key[1]], row[key[2]], row[key[3]]): figure(**{f.name: row[f.name] for f in fields(figure)})
        for row in rows
    }
    assert len(figures) == len(rows)
    return figures


def org_type(code: str) -> str:
    return "state" if code == "00000000" else "district" if code.endswith("0000") else "school"


def from_oracle(shop: Workshop, year: int) -> tuple[Results, Rates]:
    deliveries: dict[int, Delivery] = {
        y: {
            name: [path for s in parts.values() for path in shop.store.accepted(s)]
            for name in shop.contracts
            if (parts := shop.store.in_force(y, name, "official"))
        }
        for y in (year - 1, year)
    }
    with (PROJECT / "dbt_project" / "seeds" / "advanced_courses.csv").open() as file:
        advanced = {row["subject_course_code"] for row in csv.DictReader(file)}
    return indicator_results(year, deliveries, advanced), participation(year, deliveries)


def assert_same(found: Mapping[Key, F], expected: Mapping[Key, F]) -> None:
    """Equal in every cell; otherwise the first few cells that differ, as (models, oracle)."""
    keys = sorted(found.keys() | expected.keys())
    differing = {key: (found.get(key), expected.get(key)) for key in keys if found.get(key) != expected.get(key)}
    cells = "\n".join(f"{key}: {figures}" for key, figures in list(differing.items())[:20])
    assert not differing, f"{len(differing)} of {len(keys)} cells differ:\n{cells}"


def compare(shop: Workshop, year: int) -> tuple[Results, Rates]:
    """Both tables by both computations; returns them."""
    (results, rates), (expected_results, expected_rates) = from_models(shop, year), from_oracle(shop, year)
    assert_same(results, expected_results)
    assert_same(rates, expected_rates)
    return results, rates


@pytest.mark.parametrize("seed", [3, 4])
def test_every_cell_is_the_same(tmp_path: Path, seed: int) -> None:
    shop = state(tmp_path, 20_000, seed)
    results, rates = compare(shop, 2025)
    assert {key[3] for key in results} == INDICATORS
    assert len({key[0] for key in results if org_type(key[0]) == "school"}) >= 60
    assert {19, 20} <= {figure.n for figure in results.values()}
    assert {figure.two_year_status for figure in rates.values()} >= {"ok", "n_too_small"}


@pytest.mark.parametrize(
    ("years", "measures", "statuses"),
    [
        # The legacy scale in high school, and in science everywhere
        ([2018, 2019], {"percent", "scaled_score", "mean_sgp", "cpi"}, {"ok", "n_too_small"}),
        # The lowest performing of high schools, not reported
        ([2022, 2023], {"percent", "scaled_score", "mean_sgp"}, {"ok", "n_too_small", "not_applicable"}),
    ],
)
def test_other_years_are_the_same(tmp_path: Path, years: list[int], measures: set[str], statuses: set[str]) -> None:
    shop = state(tmp_path, 10_000, 6, years)
    results, _ = compare(shop, years[1])
    assert {figure.measure for figure in results.values()} == measures
    assert {figure.status for figure in results.values()} == statuses


@pytest.mark.parametrize("year", [2018, 2024])
def test_a_year_without_the_year_before_has_nothing_that_needs_one(tmp_path: Path, year: int) -> None:
    shop = state(tmp_path, 2_000, 5, [year])
    results, rates = compare(shop, year)
    assert {key[3] for key in results} == INDICATORS - LAGGED
    assert {key[1] for key in results if key[2] == "lowest_performing"} == {"high"}
    assert {figure.two_year_tested for figure in rates.values()} == {None}
