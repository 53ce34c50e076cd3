"""The rules of accountability percentiles of one year, built from the policy register and checked before any data.

Belongs here: typed parameters with their policy rows; which grades make a school which kind. Does not: any ranking.
Source: rulebook section 8; 603 CMR 2.02, 2.03(2)(a) and (c).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from math import lcm

from orchestration import policy_tables as tables
from orchestration.determinations.report_columns import (
    ALL_STUDENTS,
    GRADESPANS,
    category_weights,
    report_columns,
)
from orchestration.errors import InputError
from orchestration.policy import PolicyRow, Register

OTHER = {"non_high": "high", "high": "non_high"}
SETS = {frozenset({"non_high"}): "non_high", frozenset({"high"}): "high", frozenset(GRADESPANS): "both"}
"""Comparison set of a school by the gradespans that it serves: the sheets NonHS, HS and MSHS of the workbook."""


@dataclass(frozen=True)
class RankRule:
    """Percentile of a position: multiplier x (below + tie share x ties) / n + addend, rounded down, held in bounds.

    An addend of one half makes it half up. Integers throughout: one common denominator, one floor division.
    """

    tie_share: Decimal
    multiplier: Decimal
    addend: Decimal
    lowest: int
    highest: int
    rows: tuple[PolicyRow, ...]

    def percentile(self, below: int, ties: int, n: int) -> int:
        """`below` and `ties` (itself included where it is one of the n) of `n` values, n at least 1."""
        of_below, of_ties, of_n, under = self._factors
        found = (of_below * below + of_ties * ties + of_n * n) // (under * n)
        return min(self.highest, max(self.lowest, found))

    @cached_property
    def _factors(self) -> tuple[int, int, int, int]:
        share, times, add = Fraction(self.tie_share), Fraction(self.multiplier), Fraction(self.addend)
        under = lcm(times.denominator, (times * share).denominator, add.denominator)
        return int(times * under), int(times * share * under), int(add * under), under


@dataclass(frozen=True)
class PercentileRules:
    """Everything that decides percentiles of `year`; `years` are those compared, the latest first.

    `weights`: (comparison set, with EL) to category to weight, as whole numbers in the same proportion. `parts`: a
    number that any count of indicators of a category in two gradespans divides. `alone_at_most`: groups up to
    this percentile are also placed as a school of their own.
    """

    year: int
    years: tuple[int, ...]
    year_weights: Mapping[int, Fraction]
    reweighs: bool
    categories: Mapping[str, str]
    lower_is_better: frozenset[str]
    weights: Mapping[tuple[str, bool], Mapping[str, int]]
    parts: int
    rank: RankRule
    required: tuple[str, ...]
    required_years: tuple[int, ...]
    minimum_n: int
    groups: frozenset[str]
    alone_at_most: int
    rows: Mapping[tuple[str, bool], tuple[PolicyRow, ...]]
    eligibility_rows: tuple[PolicyRow, ...]


def percentile_rules(register: Register, year: int) -> PercentileRules:
    """The rules of `year`. Raises InputError naming the row that is missing, unknown or contradicts another."""
    categories, lower = _indicators(register, year)
    weights = category_weights(register, year)
    year_rows = tables.table(register, year, "percentile_year_weight")
    shares = _year_weights(year, year_rows)
    years = tuple(sorted(shares, reverse=True))
    sets = tables.exactly(tables.table(register, year, "percentile_set"), tuple(SETS.values()), "percentile_set", year)
    schemes = {
        (name, with_el): weights[tables.word(row, GRADESPANS), with_el]
        for name, row in sets.items()
        for with_el in (True, False)
    }
    rank = _rank(register, year)
    missing = register.row(year, "percentile_missing_year", "earlier")
    required = register.row(year, "percentile_eligibility", "indicators")
    required_years = register.row(year, "percentile_eligibility", "years")
    minimum = register.row(year, "minimum_n", "students")
    labels = tables.table(register, year, "group_label")
    roles = tables.exactly(tables.table(register, year, "percentile_group"), labels, "percentile_group", year)
    for row in roles.values():
        tables.word(row, ("school", "group", "none"))
    if [group for group, row in roles.items() if row.value == "school"] != [ALL_STUDENTS]:
        raise InputError(f"{roles[ALL_STUDENTS].where}: a school's own percentile is that of {ALL_STUDENTS}, once")
    return PercentileRules(
        year=year,
        years=years,
        year_weights=shares,
        reweighs=tables.word(missing, ("reweigh", "ineligible")) == "reweigh",
        categories=categories,
        lower_is_better=lower,
        weights={key: _proportions(scheme) for key, scheme in schemes.items()},
        parts=len(GRADESPANS) * lcm(*range(1, len(categories) + 1)),
        rank=rank,
        required=tables.words(required, categories),
        required_years=years[: tables.whole(required_years, 1, len(years))],
        minimum_n=tables.whole(minimum, 1),
        groups=frozenset(group for group, row in roles.items() if row.value == "group"),
        alone_at_most=register.integer(year, "federal_tsi", "group_percentile_at_most"),
        rows={
            key: (*year_rows.values(), missing, sets[key[0]], *scheme.values(), *rank.rows)
            for key, scheme in schemes.items()
        },
        eligibility_rows=(required, required_years, minimum),
    )


def served_gradespans(register: Register, year: int, lowest: str, highest: str) -> frozenset[str]:
    """Gradespans of a school from its lowest to its highest grade (codes of the organisations contract).

    A high school serves grades 9 to 12 only, another none of them; a school of both kinds serves both. Raises
    InputError for a grade that the policy does not know and for a lowest grade above the highest.
    """
    rows = tables.exactly(
        tables.table(register, year, "served_grades"), (*GRADESPANS, "neither"), "served_grades", year
    )
    spans = {grade: span for span in (*GRADESPANS, "neither") for grade in rows[span].value.split()}
    order = list(spans)
    for grade in (lowest, highest):
        if grade not in spans:
            raise InputError(f"{rows['non_high'].where}: grade '{grade}' is in no row of served_grades")
    served = order[order.index(lowest) : order.index(highest) + 1]
    if not served:
        raise InputError(f"organisations: lowest_grade {lowest} is above highest_grade {highest}")
    return frozenset(spans[grade] for grade in served) - {"neither"}


def _indicators(register: Register, year: int) -> tuple[dict[str, str], frozenset[str]]:
    """Indicator to category, those of the all-students columns, and the indicators that are better when lower."""
    columns = report_columns(register, year)
    categories = {
        indicator: category
        for gradespan in GRADESPANS
        for category, members in columns[f"{gradespan}_all"].categories.items()
        for indicator in members
    }
    direction = tables.table(register, year, "indicator_direction")
    tables.exactly(direction, categories, "indicator_direction", year)
    lower = {name for name, row in direction.items() if tables.word(row, ("higher", "lower")) == "lower"}
    return categories, frozenset(lower)


def _year_weights(year: int, rows: Mapping[str, PolicyRow]) -> dict[int, Fraction]:
    first = next(iter(rows.values()))
    if not all(name.isascii() and name.isdigit() for name in rows) or max(map(int, rows)) != year:
        raise InputError(f"{first.where}: the parameters of percentile_year_weight are school years up to {year}")
    total = sum(tables.number(row, 0, 100) for row in rows.values())
    if total != 100:
        raise InputError(f"{first.where}: the year weights of {year} sum to {total}, not to 100")
    return {int(name): Fraction(row.value) for name, row in rows.items()}


def _proportions(scheme: Mapping[str, PolicyRow]) -> dict[str, int]:
    weights = {category: Fraction(row.value) for category, row in scheme.items()}
    common = lcm(*(weight.denominator for weight in weights.values()))
    return {category: int(weight * common) for category, weight in weights.items()}


def _rank(register: Register, year: int) -> RankRule:
    names = ("tie_share", "multiplier", "addend", "lowest", "highest")
    rows = tables.exactly(tables.table(register, year, "percentile_rank"), names, "percentile_rank", year)
    lowest, highest = tables.whole(rows["lowest"], 0, 100), tables.whole(rows["highest"], 0, 100)
    if lowest >= highest:
        raise InputError(f"{rows['lowest'].where}: the lowest percentile {lowest} is not below the highest, {highest}")
    return RankRule(
        tie_share=tables.number(rows["tie_share"], 0, 1),
        multiplier=tables.number(rows["multiplier"], 1, 100),
        addend=tables.number(rows["addend"], 0, 1),
        lowest=lowest,
        highest=highest,
        rows=tuple(rows.values()),
    )
