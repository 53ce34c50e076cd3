"""Accountability percentiles of schools and of their student groups: exact, and explained step by step.

Belongs here: ranking schools of a comparison set by their indicator values over the policy's years. Does not: what the
ranks, weights and years are (percentile_rules), nor what a percentile leads to (classification).

The order (rulebook section 8; the parts marked there as open follow its defaults):
1. Each indicator of each year and gradespan is ranked among the schools of the set that have a value, whole 1-99.
   The set is the school's set of the determination year, for earlier years too.
2. Mean of the ranks of an indicator over gradespans (a K-12 school has two), mean over the indicators of a category.
3. A year's score: mean of its categories by their weights; with or without EL, as the year has an EL rank or not.
   A category without ranks drops out and the others keep their proportions.
4. Mean of the years by the year weights; a missing earlier year drops out the same way, where the policy says so.
5. Eligible schools are ranked again by that score: the percentile.
A student group goes the same way among the same group of other schools. It is also placed as if it were a school of
its own among the schools of the set (`alone`): what federal law asks of it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from math import gcd
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from orchestration.determinations.figures import Result
from orchestration.determinations.percentile_rules import (
    OTHER,
    SETS,
    PercentileRules,
    RankRule,
)
from orchestration.determinations.report_columns import ALL_STUDENTS, EL_CATEGORY
from orchestration.determinations.trace import Step, Value
from orchestration.errors import InputError
from orchestration.policy import PolicyRow

Number = TypeVar("Number", Decimal, Fraction)


class IndicatorValue(NamedTuple):
    """A school's row of indicator_results, counted only with status ok; `school_year` is the year it is used in."""

    school_year: int
    org_code: str
    gradespan: str
    student_group: str
    indicator: str
    value: Decimal | None
    n: int
    status: str = "ok"


@dataclass(frozen=True)
class Percentile:
    """Where a school, or a student group of it, stands: 1-99, or None with the reason in `status`.

    `alone` is the percentile that a group would have as a school of its own, for groups low enough to be asked.
    `score` is the weighted mean of ranks that was ranked, exact.
    """

    school_year: int
    org_code: str
    student_group: str
    comparison_set: str
    percentile: int | None
    alone: int | None
    score: Fraction | None
    status: str

    @property
    def key(self) -> str:
        """Key of the step that decided it."""
        return f"{self.school_year}/{self.org_code}/percentile/{self.student_group}"


class _Place(NamedTuple):
    percentile: int
    below: int
    ties: int


@dataclass
class _Population(Generic[Number]):
    """Values of one kind, which a value is ranked among; higher is better. Filled first, then sorted once."""

    rule: RankRule
    values: list[Number] = field(default_factory=list)
    places: dict[Number, _Place] = field(default_factory=dict)

    def sort(self) -> None:
        """Put the values in order and place each distinct one."""
        self.values.sort()
        below, n = 0, len(self.values)
        for value, ties in Counter(self.values).items():
            self.places[value] = _Place(self.rule.percentile(below, ties, n), below, ties)
            below += ties

    def place(self, value: Number) -> _Place:
        """Where `value` stands, itself one of the population or not."""
        if (found := self.places.get(value)) is None:
            below = bisect_left(self.values, value)
            found = self.places[value] = _Place(self.rule.percentile(below, 0, len(self.values)), below, 0)
        return found


Cell: TypeAlias = tuple[str, str]
"""Gradespan, indicator."""
Field: TypeAlias = Mapping[int, Mapping[Cell, _Population[Decimal]]]
"""What one student group of a comparison set is ranked among, by school year."""


@dataclass
class _Record:
    """One school's group: year to cell to value, better upward, and what the eligibility asks of it."""

    values: dict[int, dict[Cell, Decimal]] = field(default_factory=lambda: defaultdict(dict))
    enough: dict[int, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))


class _Year(NamedTuple):
    """A year's score is `earned` of `possible`; `sums`: category to [sum, parts] of its ranks."""

    earned: int
    possible: int
    with_el: bool
    ranks: Mapping[Cell, int]
    sums: Mapping[str, list[int]]


class _Score(NamedTuple):
    score: Fraction
    years: Mapping[int, _Year]


def percentiles(
    rules: PercentileRules, values: Iterable[IndicatorValue | Result], gradespans: Mapping[str, frozenset[str]]
) -> tuple[list[Percentile], list[Step]]:
    """Percentiles of every school of `gradespans` (org_code to gradespans served), and of its groups with results.

    `values`: the schools' rows of indicator_results of `rules.years`, in any order; rows of other years, of groups
    without percentiles and of indicators outside the accountability percentile are passed over, and so are earlier
    years of schools that are no longer there. Raises InputError for a school of the year that `gradespans` does not
    have, a row twice, a negative n or status ok without a value.
    """
    sets = {org: _comparison_set(org, spans) for org, spans in gradespans.items()}
    records = _records(rules, values, sets)
    fields = _fields(rules, records, sets)
    status = {key: _status(rules, record) for key, record in records.items()}
    scores = {
        (org, group): _score(rules, record, sets[org], fields[sets[org], group])
        for (org, group), record in records.items()
        if status[org, group] == "ok"
    }
    standings: dict[tuple[str, str], _Population[Fraction]] = defaultdict(lambda: _Population(rules.rank))
    for (org, group), scored in scores.items():
        standings[sets[org], group].values.append(scored.score)
    for standing in standings.values():
        standing.sort()
    out, steps = [], []
    for key in sorted(records):
        org, group = key
        entry = Percentile(rules.year, org, group, sets[org], None, None, None, status[key])
        if key not in scores:
            step = _step(rules, entry, rules.eligibility_rows, {"comparison_set": sets[org]})
        else:
            scored, standing = scores[key], standings[sets[org], group]
            place, alone = standing.place(scored.score), None
            schools = standings[sets[org], ALL_STUDENTS]
            if group != ALL_STUDENTS and place.percentile <= rules.alone_at_most and schools.values:
                apart = _score(rules, records[key], sets[org], fields[sets[org], ALL_STUDENTS])
                alone = schools.place(apart.score).percentile
            entry = replace(entry, percentile=place.percentile, alone=alone, score=scored.score)
            rows = rules.rows[sets[org], scored.years[rules.year].with_el]
            step = _step(rules, entry, rows, _figures(rules, entry, scored, place, len(standing.values)))
        out.append(entry)
        steps.append(step)
    return out, steps


def _comparison_set(org: str, spans: frozenset[str]) -> str:
    if spans not in SETS:
        raise InputError(f"organisations: {org} serves {', '.join(sorted(spans)) or 'no gradespan'}, which is no set")
    return SETS[spans]


def _records(
    rules: PercentileRules, values: Iterable[IndicatorValue | Result], sets: Mapping[str, str]
) -> dict[tuple[str, str], _Record]:
    """A record a school and group; every school has one of its own, even without results."""
    groups = {ALL_STUDENTS, *rules.groups}
    records = {(org, ALL_STUDENTS): _Record() for org in sets}
    for row in values:
        if (
            row.student_group not in groups
            or row.indicator not in rules.categories
            or row.school_year not in rules.years
        ):
            continue
        if row.org_code not in sets:
            if row.school_year == rules.year:
                raise InputError(f"indicator_results: school {row.org_code} of {rules.year} is not in the directory")
            continue
        if row.n < 0 or (row.value is None and row.status == "ok"):
            raise InputError(
                f"indicator_results: {row.school_year} {row.org_code} {row.gradespan} {row.student_group} "
                f"{row.indicator}: n {row.n}, value {row.value} and status {row.status} do not fit together"
            )
        if (record := records.get((row.org_code, row.student_group))) is None:
            record = records[row.org_code, row.student_group] = _Record()
        if row.indicator in rules.required:
            kept = record.enough[row.school_year]
            enough = row.status if row.n >= rules.minimum_n else "n_too_small"
            kept[row.indicator] = "ok" if "ok" in (enough, kept.get(row.indicator)) else enough
        if row.value is not None and row.status == "ok":
            cells = record.values[row.school_year]
            if (row.gradespan, row.indicator) in cells:
                raise InputError(
                    f"indicator_results: {row.school_year} {row.org_code} {row.gradespan} {row.student_group} "
                    f"{row.indicator} stands there twice"
                )
            better = -row.value if row.indicator in rules.lower_is_better else row.value
            cells[row.gradespan, row.indicator] = better
    # A group that only had results in earlier years has nothing to be placed by.
    return {
        key: r
        for key, r in records.items()
        if key[1] == ALL_STUDENTS or rules.year in r.values or rules.year in r.enough
    }


def _fields(
    rules: PercentileRules, records: Mapping[tuple[str, str], _Record], sets: Mapping[str, str]
) -> dict[tuple[str, str], Field]:
    """(comparison set, student group) to the values that are ranked."""
    found: dict[tuple[str, str], dict[int, dict[Cell, _Population[Decimal]]]] = {}
    for (org, group), record in records.items():
        years = found.setdefault((sets[org], group), {year: {} for year in rules.years})
        for year, cells in record.values.items():
            populations = years[year]
            for cell, value in cells.items():
                if cell not in populations:
                    populations[cell] = _Population(rules.rank)
                populations[cell].values.append(value)
    for years in found.values():
        for of_year in years.values():
            for population in of_year.values():
                population.sort()
    return dict(found)


def _status(rules: PercentileRules, record: _Record) -> str:
    """ok, or why there is no percentile: of the current year first, then of the earlier years it needs."""
    for year in rules.required_years:
        for indicator in rules.required:
            enough = record.enough.get(year, {}).get(indicator, "n_too_small")
            if enough != "ok":
                return enough if year == rules.year else "no_prior_year"
    if rules.year not in record.values:
        return "n_too_small"
    if not rules.reweighs and any(year not in record.values for year in rules.years):
        return "no_prior_year"
    return "ok"


def _score(rules: PercentileRules, record: _Record, comparison_set: str, among: Field) -> _Score:
    """Weighted mean over the years of the record's values, ranked `among` those of a group of the set."""
    years: dict[int, _Year] = {}
    for year in rules.years:
        populations = among[year]
        ranks = {
            cell: populations[cell].place(value).percentile
            for cell, value in record.values.get(year, {}).items()
            if cell in populations
        }
        if scored := _year(rules, comparison_set, ranks):
            years[year] = scored
    return _Score(_weighted((rules.year_weights[year], scored) for year, scored in years.items()), years)


def _weighted(years: Iterable[tuple[Fraction, _Year]]) -> Fraction:
    """Mean of the scores by their weights, in whole numbers up to the end: every fraction made is reduced."""
    over, under, weight_over, weight_under = 0, 1, 0, 1
    for weight, scored in years:
        n, d = weight.as_integer_ratio()
        over = over * d * scored.possible + n * scored.earned * under
        under *= d * scored.possible
        weight_over, weight_under = weight_over * d + n * weight_under, weight_under * d
    return Fraction(over * weight_under, under * weight_over) if weight_over else Fraction(0)


def _year(rules: PercentileRules, comparison_set: str, ranks: Mapping[Cell, int]) -> _Year | None:
    """Score of one year, in whole numbers over one denominator."""
    sums = _category_sums(rules, ranks)
    with_el = EL_CATEGORY in sums
    weights = rules.weights[comparison_set, with_el]
    earned = possible = 0
    for category, (total, parts) in sums.items():
        weight = weights.get(category, 0)
        earned += weight * total * (rules.parts // parts)
        possible += weight * rules.parts
    return _Year(earned, possible, with_el, ranks, sums) if possible else None


def _category_sums(rules: PercentileRules, ranks: Mapping[Cell, int]) -> dict[str, list[int]]:
    """Category to [sum, parts]: its mean is sum / parts. An indicator counts two parts, one a gradespan if in both."""
    sums: dict[str, list[int]] = {}
    for (gradespan, indicator), rank in ranks.items():
        parts = 1 if (OTHER[gradespan], indicator) in ranks else 2
        found = sums.setdefault(rules.categories[indicator], [0, 0])
        found[0] += parts * rank
        found[1] += parts
    return sums


def _step(rules: PercentileRules, entry: Percentile, rows: tuple[PolicyRow, ...], inputs: Mapping[str, Value]) -> Step:
    outcome: dict[str, Value] = {"percentile": entry.percentile}
    if entry.alone is not None:
        outcome["alone"] = entry.alone
    return Step(
        school_year=rules.year,
        org_code=entry.org_code,
        kind="percentile",
        rule_id="percentile_eligibility" if entry.percentile is None else "percentile_rank",
        student_group=entry.student_group,
        inputs=inputs,
        parameters=rows,
        outcome=outcome,
        status=entry.status,
    )


def _figures(rules: PercentileRules, entry: Percentile, scored: _Score, place: _Place, n: int) -> dict[str, Value]:
    return {
        "comparison_set": entry.comparison_set,
        "ranked": n,
        "below": place.below,
        "ties": place.ties,
        "score": str(scored.score),
        "years": {str(year): _year_text(rules, year, of) for year, of in scored.years.items()},
    }


def _year_text(rules: PercentileRules, year: int, scored: _Year) -> dict[str, Value]:
    """A year's figures for the trace; exact fractions as text, such as 97/2."""
    ranks: dict[str, dict[str, Value]] = {}
    for (gradespan, indicator), rank in scored.ranks.items():
        ranks.setdefault(gradespan, {})[indicator] = rank
    return {
        "weight": str(rules.year_weights[year]),
        "with_el": scored.with_el,
        "score": _ratio(scored.earned, scored.possible),
        "categories": {name: _ratio(total, parts) for name, (total, parts) in scored.sums.items()},
        "ranks": ranks,
    }


def _ratio(over: int, under: int) -> str:
    """As text in lowest terms, such as 97/2."""
    common = gcd(over, under)
    return f"{over // common}" if under == common else f"{over // common}/{under // common}"
