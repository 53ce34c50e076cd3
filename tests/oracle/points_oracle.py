"""Targets, statewide values and points of a year, computed a second time from the rulebook.

Belongs here: sections 5 and 6, the minimum of 1.4, with the policy rows as data. Does not: any line of the project's
rule code; nor percentages (percentages_oracle.py). Every figure is worked out where it is asked
for, at leisure.

Where the rulebook leaves a choice the policy's word is followed. Three choices about the generator of targets are in
neither; the oracle takes those of the project and so does not prove them: equal baselines stand in one group, that of
the first of them; the groups of a past gain are made of the schools that have that gain; a group of schools without any
gain before the year falls back on the gains into the year by itself.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple, TypeAlias

from orchestration.determinations.figures import Result
from orchestration.determinations.reading import Inputs
from tests.oracle.hub_oracle import half_up
from tests.oracle.policy_reader import Policy

Key: TypeAlias = tuple[str, str, str, str]
"""Organisation, gradespan, student group, indicator."""
Kind: TypeAlias = tuple[str, str, str, str]
"""Measure, gradespan, student group, indicator."""
SPANS = ("non_high", "high")
LOWEST, ALL = "lowest_performing", "all_students"


class Goal(NamedTuple):
    """The figures of a row of indicator_targets."""

    baseline: Decimal | None
    target: Decimal | None
    increment: Decimal | None
    next_target: Decimal | None
    path: str | None
    source: str
    status: str


class Points(NamedTuple):
    """The figures of a row of indicator_points."""

    points: int | None
    rating: str
    reason: str
    status: str


class Book:
    """The policy of one year: rule to parameter to value."""

    def __init__(self, policy: Policy, year: int) -> None:
        self.rules: dict[str, dict[str, str]] = defaultdict(dict)
        for (row_year, rule, parameter), value in policy.values.items():
            if row_year in ("every", str(year)):
                self.rules[rule][parameter] = value

    def __getitem__(self, rule: str) -> dict[str, str]:
        return self.rules[rule]

    def column(self, span: str, group: str) -> dict[str, list[str]]:
        """Category to indicators of the report column in which a group stands."""
        start = f"{span}_{'lowest' if group == LOWEST else 'all'}_"
        found = self["column_indicators"].items()
        return {name.removeprefix(start): value.split() for name, value in found if name.startswith(start)}

    def reports(self, org_type: str, span: str, group: str) -> bool:
        """Whether a level of organisation has the group's column at all."""
        return group != LOWEST or self["lowest_performing"][f"{org_type}_{span}"] == "reported"

    def falls(self, indicator: str) -> bool:
        """Whether less is better."""
        return self["indicator_direction"][indicator] == "lower"

    def better(self, indicator: str, value: Decimal) -> Decimal:
        """A number that is the greater the better the figure is."""
        return -value if self.falls(indicator) else value


def rounded(number: Fraction | Decimal, decimals: int) -> Decimal:
    """Half up, exactly."""
    return Decimal(half_up(Fraction(number) * 10**decimals)).scaleb(-decimals)


@dataclass(frozen=True)
class Year:
    """The inputs of a year beside its policy, with what is asked of them again and again."""

    inputs: Inputs
    book: Book

    @cached_property
    def results(self) -> dict[int, dict[Key, Result]]:
        """School year and key to the row."""
        found: dict[int, dict[Key, Result]] = defaultdict(dict)
        for row in self.inputs.results:
            found[row.school_year][row.org_code, row.gradespan, row.student_group, row.indicator] = row
        return found

    @property
    def now(self) -> dict[Key, Result]:
        return self.results[self.inputs.year]

    @property
    def before(self) -> dict[Key, Result]:
        return self.results[self.inputs.year - 1]

    @cached_property
    def workbook(self) -> dict[Key, dict[str, object]]:
        """Key to what the Department's workbook says of it: baseline, target, path, increment."""
        spans = {label: span for span, label in self.book["gradespan_label"].items()}
        groups = {label: group for group, label in self.book["group_label"].items()}
        found: dict[Key, dict[str, object]] = {}
        for row in self.inputs.published_targets:
            for indicator, name in self.book["target_indicator"].items():
                key = str(row["org_code"]), spans[str(row["gradespan"])], groups[str(row["student_group"])], indicator
                steps = (row.get(f"{name}_increment_next"), row.get(f"{name}_increment"))
                found[key] = {
                    "baseline": row[f"{name}_baseline"],
                    "target": row[f"{name}_target"],
                    "increment": next((step for step in steps if step is not None), None),
                    "path": row.get(f"{name}_path"),
                }
        return {key: told for key, told in found.items() if told["target"] is not None}

    def is_compared(self, row: Result) -> bool:
        """Whether the row is one of those by which typical steps are measured."""
        return row.org_type == self.book["target_step"]["population"] and row.value is not None

    @cached_property
    def baselines(self) -> dict[Kind, list[Decimal]]:
        """What schools start from, by kind of figure."""
        found: dict[Kind, list[Decimal]] = defaultdict(list)
        for key, row in self.before.items():
            if self.is_compared(row) and row.value is not None:
                found[row.measure, *key[1:]].append(row.value)
        return found

    @cached_property
    def gains(self) -> dict[tuple[int, Kind], list[tuple[Decimal, Decimal]]]:
        """First year and kind of figure to (start, gain to the year after) of each school that has both."""
        found: dict[tuple[int, Kind], list[tuple[Decimal, Decimal]]] = defaultdict(list)
        for first in (self.inputs.year - 2, self.inputs.year - 1):
            for key, row in self.results[first].items():
                after = self.results[first + 1].get(key)
                if not self.is_compared(row) or after is None or after.measure != row.measure:
                    continue
                if row.value is not None and after.value is not None:
                    gain = self.book.better(key[3], after.value) - self.book.better(key[3], row.value)
                    found[first, (row.measure, *key[1:])].append((row.value, gain))
        return found

    @cached_property
    def steps(self) -> dict[tuple[int, Kind], dict[int, Decimal]]:
        """First year and kind to the typical gain of those who started in each group."""
        least = Decimal(self.book["target_step"]["minimum"])
        found: dict[tuple[int, Kind], dict[int, Decimal]] = defaultdict(dict)
        for place, pairs in self.gains.items():
            by_group: dict[int, list[Decimal]] = defaultdict(list)
            starts = [start for start, _ in pairs]
            for start, gain in pairs:
                by_group[self.group(starts, start)].append(gain)
            for group, gained in by_group.items():
                mean = Fraction(sum(gained)) / len(gained)
                found[place][group] = max(least, rounded(max(mean, Fraction(0)), 1))
        return found

    def group(self, values: list[Decimal], value: Decimal) -> int:
        """In which of the equal groups of some figures a figure stands."""
        groups = int(self.book["target_step"]["baseline_groups"])
        below = sum(1 for other in values if other < value)
        return min(groups - 1, below * groups // len(values)) if values else 0


def goals(year: Year) -> dict[Key, Goal]:
    """Every row of indicator_targets; rows of organisations that the year does not have are left out."""
    if year.book["calendar"]["determinations"] != "full":
        return {}
    keys = {*year.now, *year.before, *year.workbook}
    return {
        key: _goal(year, key)
        for key in keys
        if key[3] in year.book["target_indicator"] and key[0] in year.inputs.organisations
    }


def _goal(year: Year, key: Key) -> Goal:
    told, prior = year.workbook.get(key), year.before.get(key)
    if told is not None:
        baseline, target, increment = told["baseline"], told["target"], told["increment"]
        assert isinstance(target, Decimal)
        assert baseline is None or isinstance(baseline, Decimal)
        assert increment is None or isinstance(increment, Decimal)
        row = year.now.get(key) or prior
        onward = None if increment is None else _moved(year, key, row.measure if row else None, target, abs(increment))
        path = str(told["path"]) if told["path"] else _path(year, key)
        return Goal(baseline, target, increment, onward, path, "published", "ok")
    now = year.now.get(key)
    if prior is not None and prior.value is not None and now is not None and prior.measure != now.measure:
        prior = None  # a figure on another measure is no baseline
    if prior is None or prior.value is None:
        return Goal(None, None, None, None, None, "generated", "no_prior_year" if prior is None else prior.status)
    step = _step(year, key, prior, prior.value)
    target = _moved(year, key, prior.measure, prior.value, step)
    onward = _moved(year, key, prior.measure, target, step)
    return Goal(prior.value, target, step, onward, _path(year, key), "generated", "ok")


def _step(year: Year, key: Key, prior: Result, value: Decimal) -> Decimal:
    """Gains of the two years before, so that no result of the year moves its own target; else those of the year."""
    this = year.inputs.year
    kind = (prior.measure, *key[1:])
    group = year.group(year.baselines.get(kind, []), value)
    starts = {"before": this - 2, "during": this - 1}
    for word in year.book["target_step"]["history"].split():
        found = year.steps.get((starts[word], kind), {}).get(group)
        if found is not None:
            return found
    return Decimal(year.book["target_step"]["minimum"])


def _moved(year: Year, key: Key, measure: str | None, value: Decimal, step: Decimal) -> Decimal:
    """A step in the better direction, not off the scale."""
    moved = value - step if year.book.falls(key[3]) else value + step
    if measure is None:
        return moved
    low, high = map(Decimal, year.book["measure_scale"][measure].split())
    return min(max(moved, low), high)


def _path(year: Year, key: Key) -> str | None:
    """Recovery where the baseline is below the group's own level of the reference year."""
    rule = year.book["target_path"]
    if rule["assigned"] != "yes" or key[3] not in rule["indicators"].split():
        return None
    then, prior = year.results[int(rule["reference_year"])].get(key), year.before.get(key)
    if then is None or prior is None or then.value is None or prior.value is None or then.measure != prior.measure:
        return rule["otherwise"]
    lower = year.book.better(key[3], prior.value) < year.book.better(key[3], then.value)
    return rule["below_reference"] if lower else rule["otherwise"]


def statewide(year: Year) -> dict[tuple[str, str, str, int], Decimal]:
    """Gradespan, group, indicator and percentile to the nearest-rank value of the schools with enough students."""
    rule, minimum = year.book["statewide_percentile"], int(year.book["minimum_n"]["students"])
    assert rule["method"] == "nearest_rank"
    pools: dict[tuple[str, str, str], list[Decimal]] = defaultdict(list)
    for (_, span, group, indicator), row in year.now.items():
        counts = row.status == "ok" and row.value is not None and row.n >= minimum
        if counts and row.org_type in rule["organisations"].split() and row.value is not None:
            pools[span, group, indicator].append(row.value)
    found = {}
    for (span, group, indicator), values in pools.items():
        if len(values) < int(rule["least_organisations"]):
            continue
        ordered = sorted(values, key=lambda value: year.book.better(indicator, value))
        for percentile in (90, 80):
            found[span, group, indicator, percentile] = ordered[math.ceil(percentile * len(ordered) / 100) - 1]
    return found


def points(year: Year, targets: dict[Key, Goal]) -> dict[Key, Points]:
    """Every row of indicator_points."""
    if year.book["calendar"]["determinations"] != "full":
        return {}
    values = statewide(year)
    return {
        key: _points(year, key, row, targets.get(key), values)
        for key, row in year.now.items()
        if row.org_code in year.inputs.organisations
        and year.book.reports(row.org_type, row.gradespan, row.student_group)
        and any(row.indicator in members for members in year.book.column(row.gradespan, row.student_group).values())
    }


def _points(
    year: Year, key: Key, row: Result, goal: Goal | None, values: dict[tuple[str, str, str, int], Decimal]
) -> Points:
    book = year.book
    minimum = int(book["minimum_n"]["students"])
    none = book["rating_none"]["display"]
    if row.status != "ok":
        return Points(None, none, none, row.status)
    if row.n < minimum:
        return Points(None, none, none, "n_too_small")
    if row.value is None:
        return Points(None, none, none, "missing_source")
    if row.measure == "mean_sgp":
        earned = max(
            int(points) for points, band in book["growth_band"].items() if row.value >= Decimal(band.split()[0])
        )
        rating = book["rating_growth"][str(earned)]
        return Points(earned, rating, rating, "ok")
    prior = year.before.get(key)
    comparable = prior is not None and prior.measure == row.measure and prior.n >= minimum
    last = prior.value if prior is not None and comparable else None
    target = goal.target if goal else None
    routes = {"absolute", "comparison", "target", "change"}
    if last is None:
        routes &= set(book["missing_prior_year"]["routes"].split())
    if target is None:
        routes &= set(book["missing_target"]["routes"].split())
    found = earned_points(year, key, row.measure, row.value, last, target, routes, values)
    if found is None:
        return Points(None, none, none, "no_prior_year")
    rating = book["rating_target"][str(found)]
    path = goal.path if goal else None
    return Points(found, rating, f"{path}: {rating}" if path else rating, "ok")


def earned_points(
    year: Year,
    key: Key,
    measure: str,
    value: Decimal,
    last: Decimal | None,
    target: Decimal | None,
    routes: Iterable[str],
    values: dict[tuple[str, str, str, int], Decimal],
) -> int | None:
    """Tests for 4, then 3, 2, 1, 0: the first that holds (section 6.1). None where no allowed test holds."""
    book = year.book
    _, span, group, indicator = key
    kind = f"{span}_{measure if indicator.endswith('_achievement') else indicator}"
    here = book.better(indicator, value)
    tolerance = Decimal(book["target_tolerance"][kind])
    level = book["absolute_level"].get(measure, "none")
    beyond = None if target is None or "target" not in routes else here - book.better(indicator, target)

    def reaches(names: str) -> bool:
        """One of the statewide values of the policy's row."""
        for name in names.split():
            pool, percentile = name.rsplit("_", 1)
            if pool == "difficulty_quartile":
                continue  # no source says which quartile a school is in
            bar = values.get((span, ALL if pool == "all_students" else group, indicator, int(percentile)))
            if bar is not None and here >= book.better(indicator, bar):
                return True
        return False

    if "absolute" in routes and level != "none" and here >= Decimal(level):
        return 4
    if "comparison" in routes and reaches(book["comparison_route"][f"{kind}_4"]):
        return 4
    if beyond is not None and beyond > tolerance:
        return 4
    if "comparison" in routes and reaches(book["comparison_route"][f"{kind}_3"]):
        return 3
    if beyond is not None and beyond >= -tolerance:
        return 3
    if last is None or "change" not in routes:
        return None
    change = here - book.better(indicator, last)
    if change > 0:
        return 2
    return 1 if -change <= Decimal(book["no_change_band"][kind]) else 0
