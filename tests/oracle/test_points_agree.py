"""The determination room and its oracle agree on every target, point and percentage of made-up states.

Belongs here: the comparison, cell by cell, that the awkward cases really came up, and that a wrong rule would be seen.
Does not: any rule. Where the room differs from the rulebook a test says so and is expected to fail until it does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import pytest

from orchestration.determinations.determining import Determined, determine
from orchestration.determinations.figures import Result
from orchestration.determinations.reading import Inputs
from orchestration.determinations.target_rules import target_rules
from orchestration.determinations.targets import targets
from orchestration.determinations.writing import write_tables
from orchestration.determinations.year_rules import year_rules
from tests.oracle import points_oracle
from tests.oracle.percentages_oracle import Share, percentages, weighted
from tests.oracle.points_oracle import ALL, LOWEST, Book, Goal, Points, Year
from tests.oracle.policy_reader import PROJECT_POLICY, Policy
from tests.support.determinations import REGISTER
from tests.support.made_up_inputs import inputs

YEARS = (2018, 2019, 2023, 2024, 2025)
SEEDS = (0, 1, 2, 3)
SCHOOLS = 42
TENTH = Decimal("0.1")
KEYS = {
    "indicator_targets": ("org_code", "gradespan", "student_group", "indicator"),
    "indicator_points": ("org_code", "gradespan", "student_group", "indicator"),
    "target_percentages": ("org_code", "student_group", "stage", "gradespan"),
}
Tables = dict[str, dict[tuple[Any, ...], Any]]
"""Table to key to its figures: a Goal, Points or Share."""


class Difference(NamedTuple):
    """A cell on which the room and the oracle do not agree; a row that only one has is the difference of `row`."""

    table: str
    key: tuple[Any, ...]
    column: str
    room: object
    oracle: object


@dataclass(frozen=True)
class Case:
    """A made-up state, what the room makes of it, and what the oracle makes of it."""

    inputs: Inputs
    room: Tables
    year: Year
    oracle: Tables


@cache
def made_up(year: int, seed: int) -> Inputs:
    return inputs(year, seed, SCHOOLS)


@cache
def determined(year: int, seed: int) -> Determined:
    return determine(made_up(year, seed), year_rules(REGISTER, year))


@cache
def case(year: int, seed: int) -> Case:
    state = Year(made_up(year, seed), Book(PROJECT_POLICY, year))
    return Case(state.inputs, of_room(determined(year, seed)), state, of_oracle(state))


def of_room(done: Determined) -> Tables:
    """The room's figures in the oracle's shapes."""
    shares = {}
    columns = {score.percentage.step.key: score for score in done.columns}
    for found in (*(score.percentage for score in done.columns), *done.percentages):
        place, stage, score = found.place, found.step.kind, columns.get(found.step.key)
        population = "lowest" if place.student_group == LOWEST else "all"
        shares[place.org_code, place.student_group, stage, place.gradespan or None] = Share(
            f"{place.gradespan}_{population}" if score else None,
            score.weighted_earned if score else None,
            score.weighted_possible if score else None,
            found.kept,
            None if found.shown is None else int(found.shown),
            found.status,
        )
    return {
        "indicator_targets": {
            (t.org_code, t.gradespan, t.student_group, t.indicator): Goal(
                t.baseline, t.target, t.increment, t.next_target, t.path, t.source, t.status
            )
            for t in done.targets
        },
        "indicator_points": {key: Points(a.points, a.rating, a.reason, a.status) for key, a in done.awards.items()},
        "target_percentages": shares,
    }


def of_oracle(state: Year) -> Tables:
    goals = points_oracle.goals(state)
    points = points_oracle.points(state, goals)
    return {
        "indicator_targets": goals,
        "indicator_points": points,
        "target_percentages": percentages(state, points),
    }


def differences(room: Tables, oracle: Tables) -> tuple[list[Difference], int]:
    """Every cell on which they differ, and how many cells were compared."""
    found: list[Difference] = []
    cells = 0
    for table in KEYS:
        for key in sorted(room[table].keys() | oracle[table].keys(), key=str):
            left, right = room[table].get(key), oracle[table].get(key)
            if left is None or right is None:
                found.append(Difference(table, key, "row", left, right))
                continue
            for column in right._fields:
                cells += 1
                one, other = getattr(left, column), getattr(right, column)
                if one != other and not is_one_of(table, column, one, other):
                    found.append(Difference(table, key, column, one, other))
    return found, cells


def is_one_of(table: str, column: str, one: object, other: object) -> bool:
    """The status of a percentage that there is not: no rule says which of its figures' statuses it is."""
    return table == "target_percentages" and column == "status" and other != "ok" and str(one) in str(other).split("; ")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("year", YEARS)
def test_every_cell_agrees(year: int, seed: int) -> None:
    compared = case(year, seed)
    found, cells = differences(compared.room, compared.oracle)
    assert not found, f"{len(found)} of {cells} cells differ, first: {found[:3]}"
    assert cells > 25_000


@pytest.mark.parametrize("seed", SEEDS)
def test_a_year_without_determinations_has_none_of_the_tables(seed: int) -> None:
    state = Year(made_up(2022, seed), Book(PROJECT_POLICY, 2022))
    assert len(state.now) > 1000
    for tables in (of_room(determined(2022, seed)), of_oracle(state)):
        assert [len(rows) for rows in tables.values()] == [0, 0, 0]


@pytest.mark.parametrize("year", YEARS)
def test_every_cell_agrees_as_written(year: int, tmp_path: Path) -> None:
    compared = case(year, 0)
    write_tables(tmp_path, determined(year, 0), compared.inputs)
    written: Tables = {}
    for table, key in KEYS.items():
        shape = {"indicator_targets": Goal, "indicator_points": Points, "target_percentages": Share}[table]
        rows = pq.read_table(tmp_path / f"{table}.parquet").to_pylist()
        written[table] = {tuple(row[k] for k in key): shape(*(row[f] for f in shape._fields)) for row in rows}
        assert len(written[table]) == len(rows)
        assert {row["school_year"] for row in rows} == {year}
        assert all(row["org_type"] == compared.inputs.organisations[row["org_code"]].org_type for row in rows)
    assert differences(written, compared.oracle)[0] == []


# --- A wrong rule would be seen --------------------------------------------------------------------------------------

WRONG = [
    ("2025", "target_tolerance", "non_high_scaled_score", "0.6", "points"),
    ("2025", "target_tolerance", "high_el_progress", "2.9", "points"),
    ("2025", "no_change_band", "high_annual_dropout", "0.4", "points"),
    ("2025", "growth_band", "3", "50.1 59.9", "points"),
    ("2025", "comparison_route", "high_scaled_score_3", "group_90", "points"),
    ("every", "statewide_percentile", "least_organisations", "40", "points"),
    ("every", "missing_prior_year", "routes", "comparison", "status"),
    ("every", "minimum_n", "students", "21", "status"),
    ("every", "rating_target", "2", "Improved", "rating"),
    ("every", "target_step", "baseline_groups", "3", "target"),
    ("every", "target_step", "minimum", "0.1", "increment"),
    ("every", "target_path", "reference_year", "2023", "path"),
    ("every", "weight", "non_high_all_with_el_growth", "19", "weighted_earned"),
    ("every", "possible_points", "per_indicator", "5", "weighted_possible"),
    ("every", "population_weight", "lowest", "49", "kept"),
    ("2025", "decimals_kept", "gradespan", "2", "kept"),
    ("2025", "cumulative", "prior_weight", "39", "kept"),
    ("every", "decimals_shown", "percentage", "-1", "shown"),
]


@pytest.mark.parametrize(("year", "rule", "parameter", "value", "column"), WRONG)
def test_a_wrong_parameter_on_one_side_is_seen(year: str, rule: str, parameter: str, value: str, column: str) -> None:
    right = case(2025, 0)
    assert PROJECT_POLICY.values[year, rule, parameter] != value
    policy: Policy = PROJECT_POLICY.but(rule, parameter, value, year)
    found, _ = differences(right.room, of_oracle(Year(right.inputs, Book(policy, 2025))))
    assert column in {difference.column for difference in found}


def test_a_row_that_one_side_lacks_is_seen() -> None:
    right = case(2025, 0)
    for table in KEYS:
        some = next(iter(right.oracle[table]))
        less = right.oracle | {table: {key: row for key, row in right.oracle[table].items() if key != some}}
        found, _ = differences(right.room, less)
        assert [(d.table, d.key, d.column) for d in found] == [(table, some, "row")]


# --- The awkward cases came up ---------------------------------------------------------------------------------------


def occurrences(found: Case) -> Counter[str]:
    """How often each awkward case stands in a made-up state, told from its inputs and the oracle's figures."""
    state, book = found.year, found.year.book
    seen: Counter[str] = Counter()
    goals: Mapping[Any, Goal] = found.oracle["indicator_targets"]
    points: Mapping[Any, Points] = found.oracle["indicator_points"]
    shares: Mapping[Any, Share] = found.oracle["target_percentages"]
    bars = points_oracle.statewide(state)
    for key, row in state.now.items():
        award, goal, prior = points.get(key), goals.get(key), state.before.get(key)
        seen[f"status {row.status}"] += 1
        if award is None or row.value is None or row.status != "ok":
            continue
        seen[f"n of {row.n}, {'points' if award.points is not None else award.status}"] += row.n in (19, 20)
        seen[f"points {award.points} {'growth' if row.measure == 'mean_sgp' else 'target'}"] += 1
        seen["growth at the edge of a band"] += row.measure == "mean_sgp" and row.value % 10 == 0
        if row.measure == "mean_sgp":
            continue
        seen["no year before"] += prior is None
        seen["year before too small"] += prior is not None and prior.n < 20
        seen["year before on another measure"] += prior is not None and prior.measure != row.measure
        seen["year before not used in its own year"] += prior is not None and prior.status == "not_applicable"
        seen["no points without a year before"] += award.status == "no_prior_year"
        seen["points without a year before"] += prior is None and award.points is not None
        if goal is not None and goal.target is not None:
            kind = row.measure if row.indicator.endswith("achievement") else row.indicator
            tolerance = Decimal(book["target_tolerance"][f"{row.gradespan}_{kind}"])
            off = book.better(row.indicator, row.value) - book.better(row.indicator, goal.target)
            seen["at the target"] += off == 0
            for name, edge in (("above", tolerance), ("below", -tolerance)):
                seen[f"at the tolerance {name}"] += off == edge
                seen[f"just past the tolerance {name}"] += 0 < (off - edge) * (1 if edge > 0 else -1) <= TENTH
        if prior is not None and prior.value is not None and prior.measure == row.measure:
            seen["no change"] += prior.value == row.value
    for (span, group, indicator, percentile), bar in bars.items():
        pool = [
            row.value for row in state.now.values() if _place(row) == (span, group, indicator) and row.status == "ok"
        ]
        seen[f"tie at the {percentile}th percentile"] += pool.count(bar) > 1
        seen["bar of a student group"] += group != ALL
    for goal in goals.values():
        seen[f"{goal.source} {goal.status}"] += 1
        seen[f"path {goal.path}"] += 1
        seen["target at the end of its scale"] += goal.target in (Decimal(100), Decimal(0))
        seen["step of the least size"] += goal.source == "generated" and goal.increment == 0
    for (org, group, stage, span), share in shares.items():
        seen[f"{stage} {'ok' if share.status == 'ok' else 'without'}"] += 1
        if stage == "column" and share.kept is not None:
            named = {k[3]: a.points for k, a in points.items() if k[:3] == (org, span, group) and a.points is not None}
            earned, _ = weighted(book, str(span), group, named)
            seen["weighted points of half a tenth"] += (earned * 100) % 10 == 5
        if stage == "gradespan" and group == ALL:
            seen["no lowest group"] += (org, LOWEST, "column", span) not in shares
        if stage in ("annual", "cumulative") and share.kept is not None:
            seen[f"{stage} of a half"] += share.kept % 1 == Decimal("0.5")
        if stage == "annual":
            seen["both gradespans"] += all((org, group, "gradespan", one) in shares for one in points_oracle.SPANS)
        if stage == "cumulative":
            seen["prior annual"] += (org, group) in (found.inputs.prior_annuals or {})
            seen["no prior annual"] += (org, group) not in (found.inputs.prior_annuals or {})
    kinds = Counter(row.schools for row in found.inputs.organisations.values() if row.org_type == "district")
    seen["single-school district"] = kinds[1]
    seen["district of several schools"] = kinds.total() - kinds[1]
    return seen


def _place(row: Result) -> tuple[str, str, str]:
    return row.gradespan, row.student_group, row.indicator


ALWAYS = (
    "status ok", "status n_too_small", "status missing_source", "n of 19, n_too_small", "n of 20, points",
    *(f"points {points} {kind}" for points in range(5) for kind in ("growth", "target")),
    "growth at the edge of a band", "no year before", "year before too small", "year before on another measure",
    "no points without a year before", "points without a year before", "at the target", "at the tolerance above",
    "at the tolerance below", "just past the tolerance above", "just past the tolerance below", "no change",
    "tie at the 90th percentile", "tie at the 80th percentile", "bar of a student group", "generated ok",
    "generated no_prior_year", "generated n_too_small", "generated missing_source", "published ok",
    "target at the end of its scale", "step of the least size", "column ok", "column without", "annual ok",
    "weighted points of half a tenth", "no lowest group", "annual of a half", "both gradespans",
    "single-school district", "district of several schools",
)  # fmt: skip
BY_YEAR = {
    2018: ("no prior annual", "status not_applicable"),
    2019: ("prior annual", "no prior annual", "cumulative of a half"),
    2023: ("path Path Forward", "path Recovery Path", "year before not used in its own year", "no prior annual"),
    2024: ("path Path Forward", "path Recovery Path", "year before not used in its own year", "prior annual"),
    2025: ("path Path Forward", "path Recovery Path", "prior annual", "no prior annual", "cumulative of a half"),
}


@pytest.mark.parametrize("year", YEARS)
def test_the_awkward_cases_came_up(year: int) -> None:
    seen = occurrences(case(year, 0)) + occurrences(case(year, 1))
    missing = [name for name in (*ALWAYS, *BY_YEAR[year]) if not seen[name]]
    assert not missing, f"{year}: never came up: {missing}"


# --- Figures that change their measure -------------------------------------------------------------------------------


@pytest.mark.parametrize("year", YEARS)
def test_a_figure_whose_year_before_is_on_another_measure_stops_no_run(year: int) -> None:
    state = Year(inputs(year, 0, SCHOOLS, any_measure=True), Book(PROJECT_POLICY, year))
    done = determine(state.inputs, year_rules(REGISTER, year))
    assert differences(of_room(done), of_oracle(state))[0] == []


def test_next_years_published_target_stays_on_the_scale_of_the_years_measure() -> None:
    """Rulebook section 5: target(next) = target + increment, 516.0 + 0.9; the year before was in CPI."""
    now = Result(2025, "00010005", "school", "high", ALL, "ela_achievement", "scaled_score", Decimal("515.0"), 50)
    before = now._replace(school_year=2024, measure="cpi", value=Decimal("90.0"))
    row = {
        "org_code": "00010005", "student_group": "All Students", "gradespan": "High school",
        "ela_baseline": Decimal("514.0"), "ela_target": Decimal("516.0"), "ela_increment_next": Decimal("0.9"),
    }  # fmt: skip
    (found,), _ = targets(target_rules(REGISTER, 2025), (now, before), (row,))
    assert (found.target, found.next_target) == (Decimal("516.0"), Decimal("516.9"))
