"""The accountability percentiles computed a second time, slowly, from the rulebook's section 8 and the policy rows.

Belongs here: percentiles of schools and of student groups, from plain loops over plain dictionaries. Does not: anything
taken from the code under test but the shape of its inputs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import NamedTuple, TypeAlias, TypeVar

from orchestration.determinations.reading import Inputs, Organisation
from tests.oracle.policy_reader import Policy

Cell: TypeAlias = tuple[str, str]
"""Gradespan and indicator: the measure of a subject may differ from one gradespan to the other."""
Pool: TypeAlias = dict[tuple[int, Cell], list[Decimal]]
"""(Year, cell) -> everybody's value."""
Number = TypeVar("Number", Decimal, Fraction)
SPANS = ("non_high", "high")
ALL_STUDENTS = "all_students"


class Standing(NamedTuple):
    """Where a school's group stands; `alone`: where it would stand if it were a school, asked of the lowest groups."""

    comparison_set: str
    percentile: int | None
    alone: int | None
    score: Fraction | None
    status: str


class _Figures(NamedTuple):
    """What a school's group has: year -> cell -> value (higher is better), and year -> cell -> status of the row."""

    values: dict[int, dict[Cell, Decimal]]
    rows: dict[int, dict[Cell, str]]


class _Rules(NamedTuple):
    """The policy rows of a year that the percentile needs, read once."""

    year: int
    years: Mapping[int, int]
    rank: Mapping[str, Fraction]
    groups: Mapping[str, str]
    direction: Mapping[str, str]
    least: Mapping[str, int]
    columns: Mapping[str, str]
    weights: Mapping[str, str]
    weights_of: Mapping[str, str]
    eligible_by: tuple[str, ...]
    eligible_in: tuple[int, ...]
    asked_alone: int


def _rules(year: int, policy: Policy) -> _Rules:
    weights = policy.table(year, "percentile_year_weight")
    years = {int(y): int(weights[y]) for y in sorted(weights, reverse=True)}
    assert policy.get(year, "percentile_missing_year", "earlier") == "reweigh"
    latest = int(policy.get(year, "percentile_eligibility", "years"))
    return _Rules(
        year=year,
        years=years,
        rank={name: Fraction(value) for name, value in policy.table(year, "percentile_rank").items()},
        groups=policy.table(year, "percentile_group"),
        direction=policy.table(year, "indicator_direction"),
        least={name: int(value) for name, value in policy.table(year, "minimum_n").items()},
        columns=policy.table(year, "column_indicators"),
        weights=policy.table(year, "weight"),
        weights_of=policy.table(year, "percentile_set"),
        eligible_by=tuple(policy.get(year, "percentile_eligibility", "indicators").split()),
        eligible_in=tuple(years)[:latest],
        asked_alone=int(policy.get(year, "federal_tsi", "group_percentile_at_most")),
    )


def percentile_rank(rule: Mapping[str, Fraction], value: Number, population: Iterable[Number]) -> int:
    """100 x (strictly below + half of the equal) / all, half up, between 1 and 99."""
    others = list(population)
    below = sum(1 for other in others if other < value)
    equal = sum(1 for other in others if other == value)
    rank = floor(rule["multiplier"] * (below + rule["tie_share"] * equal) / len(others) + rule["addend"])
    return int(min(max(rank, rule["lowest"]), rule["highest"]))


def comparison_set(policy: Policy, year: int, school: Organisation) -> str:
    """'non_high', 'high' or 'both', by the grades the school serves, else by the grades that have students."""
    grades = {span: policy.get(year, "served_grades", span).split() for span in SPANS}
    ladder = [*grades["non_high"], *grades["high"]]
    if school.lowest_grade and school.highest_grade:
        served = set(ladder[ladder.index(school.lowest_grade) : ladder.index(school.highest_grade) + 1])
        found = [span for span in SPANS if served & set(grades[span])]
    else:
        found = [span for span, n in zip(SPANS, (school.enrolment_non_high, school.enrolment_high), strict=True) if n]
    return "both" if len(found) == len(SPANS) else found[0]


def percentiles(year: int, inputs: Inputs, policy: Policy) -> dict[tuple[str, str], Standing]:
    """(school, student group) -> where it stands, for every school and each of its groups that has figures."""
    rules = _rules(year, policy)
    sets = {
        code: comparison_set(policy, year, row)
        for code, row in inputs.organisations.items()
        if row.org_type == "school"
    }
    figures = _figures(rules, inputs, sets)
    standings: dict[tuple[str, str], Standing] = {}
    for name in sorted(set(sets.values())):
        members = {
            group: {code: found for (code, of), found in figures.items() if of == group and sets[code] == name}
            for group, wanted in rules.groups.items()
            if wanted != "none"
        }
        pool = _pool(members[ALL_STUDENTS])
        scores = list(_scores(rules, name, members[ALL_STUDENTS], pool).values())
        for group, found in members.items():
            as_schools = (pool, scores) if group != ALL_STUDENTS else None
            for code, standing in _of_one_group(rules, name, found, as_schools).items():
                standings[code, group] = standing
    return standings


def _figures(rules: _Rules, inputs: Inputs, sets: Mapping[str, str]) -> dict[tuple[str, str], _Figures]:
    """Rows of the percentile's years by school and group; a figure of fewer students than the minimum is none."""
    found = {(code, ALL_STUDENTS): _Figures(defaultdict(dict), defaultdict(dict)) for code in sets}
    for row in inputs.results:
        if row.school_year not in rules.years or row.org_code not in sets or row.indicator not in rules.direction:
            continue
        place = found.setdefault((row.org_code, row.student_group), _Figures(defaultdict(dict), defaultdict(dict)))
        least = rules.least["growth" if row.indicator.endswith("_growth") else "students"]
        status = row.status if row.n >= least else "n_too_small"
        place.rows[row.school_year][row.gradespan, row.indicator] = status
        if status == "ok":
            assert row.value is not None
            higher = rules.direction[row.indicator] == "higher"
            place.values[row.school_year][row.gradespan, row.indicator] = row.value if higher else -row.value
    return {place: of for place, of in found.items() if place[1] == ALL_STUDENTS or _has_results(rules, of)}


def _has_results(rules: _Rules, found: _Figures) -> bool:
    """A group is asked about where it has a figure of this year, or a row of what the eligibility asks."""
    return rules.year in found.values or any(i in rules.eligible_by for _, i in found.rows.get(rules.year, {}))


def _of_one_group(
    rules: _Rules, name: str, members: Mapping[str, _Figures], as_schools: tuple[Pool, list[Fraction]] | None
) -> dict[str, Standing]:
    """Standings of one group in the schools of one comparison set; `as_schools`: the schools' own values and scores."""
    scores = _scores(rules, name, members, _pool(members))
    standings = {}
    for code, found in members.items():
        if code not in scores:
            standings[code] = Standing(name, None, None, None, _shortage(rules, found))
            continue
        percentile, alone = percentile_rank(rules.rank, scores[code], scores.values()), None
        if as_schools and as_schools[1] and percentile <= rules.asked_alone:
            alone = percentile_rank(rules.rank, _score(rules, name, found, as_schools[0]), as_schools[1])
        standings[code] = Standing(name, percentile, alone, scores[code], "ok")
    return standings


def _scores(rules: _Rules, name: str, members: Mapping[str, _Figures], pool: Pool) -> dict[str, Fraction]:
    """Scores of those with enough data; `pool` are everybody's values."""
    return {code: _score(rules, name, f, pool) for code, f in members.items() if _shortage(rules, f) == "ok"}


def _shortage(rules: _Rules, found: _Figures) -> str:
    """'ok', or what there is not enough of: achievement with enough students in each of the latest years.

    The rulebook has no words for it: this year's row may say why, where it stands on enough students; else there are
    too few, or only the year before is short.
    """
    for data_year in rules.eligible_in:
        for indicator in rules.eligible_by:
            rows = [status for (_, of), status in found.rows.get(data_year, {}).items() if of == indicator]
            if "ok" not in rows:
                return "no_prior_year" if data_year != rules.year else rows[-1] if rows else "n_too_small"
    return "ok"


def _pool(members: Mapping[str, _Figures]) -> Pool:
    pool: Pool = defaultdict(list)
    for found in members.values():
        for data_year, cells in found.values.items():
            for cell, value in cells.items():
                pool[data_year, cell].append(value)
    return pool


def _score(rules: _Rules, name: str, found: _Figures, pool: Pool) -> Fraction:
    """The weighted mean of the years' scores, over the years there are."""
    total, weights = Fraction(0), 0
    for data_year, weight in rules.years.items():
        ranks = {
            cell: percentile_rank(rules.rank, value, pool[data_year, cell])
            for cell, value in found.values.get(data_year, {}).items()
            if (data_year, cell) in pool
        }
        if ranks:
            total += weight * _year_score(rules, name, ranks)
            weights += weight
    return total / weights


def _year_score(rules: _Rules, name: str, ranks: Mapping[Cell, int]) -> Fraction:
    """The categories' mean ranks by the category weights of section 3, over the categories there are.

    A school has one figure an indicator (the workbook has one column for it): in both gradespans, the mean of the two.
    """
    indicators: dict[str, list[int]] = defaultdict(list)
    for (_, indicator), rank in ranks.items():
        indicators[indicator].append(rank)
    categories: dict[str, list[Fraction]] = defaultdict(list)
    for indicator, found in indicators.items():
        categories[_category(rules, indicator)].append(Fraction(sum(found), len(found)))
    scheme = "with_el" if "el_progress" in categories else "without_el"
    total, weights = Fraction(0), Fraction(0)
    for category, means in categories.items():
        weight = Fraction(rules.weights[f"{rules.weights_of[name]}_all_{scheme}_{category}"])
        total += weight * sum(means) / len(means)
        weights += weight
    return total / weights


def _category(rules: _Rules, indicator: str) -> str:
    columns = (
        column for column, members in rules.columns.items() if indicator in members.split() and "_all_" in column
    )
    return next(columns).partition("_all_")[2]
