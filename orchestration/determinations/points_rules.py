"""The rules of points 0 to 4 of one year, built from the policy register and checked before any data is read.

Belongs here: typed routes to points, each with the policy rows behind it. Does not: applying them to a figure.
Source: rulebook section 6; "Criteria for Awarding Points" of 2019, Table A-1.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import pairwise, product

from orchestration import policy_tables as tables
from orchestration.determinations.report_columns import POPULATIONS, column_name, report_columns
from orchestration.errors import InputError
from orchestration.policy import PolicyRow, Register

TENTH = Decimal("0.1")
TARGET_MEASURES = ("scaled_score", "cpi", "percent")
GROWTH_MEASURE = "mean_sgp"
COMPARISON = "comparison"
FAMILIES = {
    "at_absolute_level": "absolute",
    "above_target": "target",
    "within_target": "target",
    COMPARISON: COMPARISON,
    "improved": "change",
    "no_change": "change",
    "declined": "change",
}
"""Route to what it needs: nothing but the value, a target, a statewide value, or the year before."""
WITHOUT = {
    "missing_prior_year": ("absolute", "target", COMPARISON),
    "missing_target": ("absolute", COMPARISON, "change"),
}
"""Rule to the families that do without what is missing; its row says which of them are tried."""
STATEWIDE_VALUE = re.compile(r"(all_students|group|difficulty_quartile)_[1-9][0-9]?")


@dataclass(frozen=True)
class Route:
    """One way to points. `limit` is its level, tolerance or band; `key` names the statewide value of a comparison.

    `tried` are the rows of the routes up to this one, `cited` those and the rating's: what a step cites if it holds.
    """

    kind: str
    points: int
    limit: Decimal
    key: str
    rating: str
    tried: tuple[PolicyRow, ...]
    cited: tuple[PolicyRow, ...]


@dataclass(frozen=True)
class GrowthBand:
    """Points of a mean SGP from `lowest` on; bands stand from the highest down."""

    lowest: Decimal
    points: int
    rating: str
    cited: tuple[PolicyRow, ...]


@dataclass(frozen=True)
class Yardstick:
    """How one indicator of one gradespan earns points; `sign` is -1 where lower is better.

    `routes` in the order in which they are tried, by whether the year before and the target are missing; empty for
    growth, which has `bands` instead.
    """

    measure: str
    sign: int
    scale: tuple[Decimal, Decimal]
    minimum_n: int
    minimum_row: PolicyRow
    routes: Mapping[tuple[bool, bool], tuple[Route, ...]]
    bands: tuple[GrowthBand, ...]


@dataclass(frozen=True)
class PointsRules:
    """Everything that decides points of `year`; `yardsticks` by report column and indicator."""

    year: int
    most: int
    yardsticks: Mapping[tuple[str, str], Yardstick]
    group_population: str
    paths: frozenset[str]
    path_indicators: frozenset[str]
    none_display: str

    def yardstick(self, gradespan: str, student_group: str, indicator: str) -> Yardstick | None:
        """The yardstick of an indicator in the group's column, or None where the column does not have it."""
        asked = gradespan, student_group, indicator
        if asked not in self._asked:
            column = column_name(gradespan, student_group, self.group_population)
            self._asked[asked] = self.yardsticks.get((column, indicator))
        return self._asked[asked]

    @cached_property
    def _asked(self) -> dict[tuple[str, str, str], Yardstick | None]:
        """What was asked before: a few hundred answers, asked for hundreds of thousands of figures."""
        return {}


def points_rules(register: Register, year: int) -> PointsRules:
    """The rules of `year`. Raises InputError naming the row that is missing, unknown or contradicts another."""
    calendar = register.row(year, "calendar", "determinations")
    if calendar.value != "full":
        raise InputError(f"{calendar.where}: {year} has no points: its determinations are '{calendar.value}'")
    policy = _Policy(register, year)
    columns = report_columns(register, year)
    measures = {
        (column.gradespan, indicator): policy.measure(column.gradespan, category, indicator)
        for column in columns.values()
        for category, indicators in column.categories.items()
        for indicator in indicators
    }
    routes = _Routes(policy, measures)
    bands = _growth_bands(policy)
    yardsticks = {
        (gradespan, indicator): Yardstick(
            measure=measure,
            sign=policy.sign(indicator),
            scale=policy.scales[measure],
            minimum_n=tables.whole(policy.minimum(measure), 1),
            minimum_row=policy.minimum(measure),
            routes={} if measure == GROWTH_MEASURE else routes.of(gradespan, indicator),
            bands=bands if measure == GROWTH_MEASURE else (),
        )
        for (gradespan, indicator), measure in measures.items()
    }
    assigned = tables.flag(register.row(year, "target_path", "assigned"))
    labels = (register.row(year, "target_path", name).value for name in ("below_reference", "otherwise"))
    with_path = register.row(year, "target_path", "indicators")
    return PointsRules(
        year=year,
        most=policy.most,
        yardsticks={
            (column.name, indicator): yardsticks[(column.gradespan, indicator)]
            for column in columns.values()
            for indicator in column.indicators
        },
        group_population=tables.word(policy.only("student_group_column", "population"), POPULATIONS),
        paths=frozenset(labels) if assigned else frozenset(),
        path_indicators=frozenset(tables.words(with_path, {indicator for _, indicator in measures})),
        none_display=policy.only("rating_none", "display").value,
    )


class _Policy:
    """The rows of one year that every yardstick shares."""

    def __init__(self, register: Register, year: int):
        self.register, self.year = register, year
        self.most = tables.whole(self.only("possible_points", "per_indicator"), 1)
        scales = self.exactly("measure_scale", (*TARGET_MEASURES, GROWTH_MEASURE))
        self.scales = {measure: _from_to(row) for measure, row in scales.items()}

    def exactly(self, rule_id: str, parameters: Collection[str]) -> dict[str, PolicyRow]:
        return tables.exactly(tables.table(self.register, self.year, rule_id), parameters, rule_id, self.year)

    def only(self, rule_id: str, parameter: str) -> PolicyRow:
        return self.exactly(rule_id, (parameter,))[parameter]

    def by_points(self, rule_id: str) -> dict[int, PolicyRow]:
        """A row for each number of points, from the most down."""
        rows = self.exactly(rule_id, {str(points) for points in range(self.most + 1)})
        return {points: rows[str(points)] for points in range(self.most, -1, -1)}

    def measure(self, gradespan: str, category: str, indicator: str) -> str:
        if category == "growth":
            return GROWTH_MEASURE
        if category != "achievement":
            return "percent"
        subject = indicator.removesuffix("_achievement")
        row = self.register.row(self.year, "achievement_measure", f"{subject}_{gradespan}")
        return tables.word(row, ("scaled_score", "cpi"))

    def sign(self, indicator: str) -> int:
        row = self.register.row(self.year, "indicator_direction", indicator)
        return 1 if tables.word(row, ("higher", "lower")) == "higher" else -1

    def minimum(self, measure: str) -> PolicyRow:
        return self.register.row(self.year, "minimum_n", "growth" if measure == GROWTH_MEASURE else "students")


class _Routes:
    """The routes of every indicator with a target: achievement by its measure, each rate by a yardstick of its own."""

    def __init__(self, policy: _Policy, measures: Mapping[tuple[str, str], str]):
        self.measures = {key: measure for key, measure in measures.items() if measure != GROWTH_MEASURE}
        self.names = {
            (gradespan, indicator): f"{gradespan}_{indicator if measure == 'percent' else measure}"
            for (gradespan, indicator), measure in self.measures.items()
        }
        names = set(self.names.values())
        self.minimum = policy.minimum("percent")
        self.points = _route_points(policy)
        self.levels = policy.exactly("absolute_level", set(self.measures.values()))
        self.tolerances = policy.exactly("target_tolerance", names)
        self.bands = policy.exactly("no_change_band", names)
        by_target = [self.points[kind].value for kind in ("above_target", "within_target")]
        self.comparisons = policy.exactly("comparison_route", {f"{name}_{p}" for name, p in product(names, by_target)})
        self.ratings = policy.by_points("rating_target")
        self.without = {rule: policy.only(rule, "routes") for rule in WITHOUT}
        self.families = {rule: {*tables.words(row, WITHOUT[rule])} for rule, row in self.without.items()}

    def of(self, gradespan: str, indicator: str) -> dict[tuple[bool, bool], tuple[Route, ...]]:
        """The routes of an indicator by what is missing: the year before, the target."""
        in_order = list(self._in_order(gradespan, indicator))
        found = {}
        for no_prior, no_target in product((False, True), repeat=2):
            rules = [rule for rule, is_so in zip(WITHOUT, (no_prior, no_target), strict=True) if is_so]
            allowed = set(FAMILIES.values()).intersection(*(self.families[rule] for rule in rules))
            tried = [self.minimum, *(self.without[rule] for rule in rules)]
            routes = []
            for kind, points, limit, key, rows in in_order:
                if FAMILIES[kind] in allowed:
                    tried += [row for row in rows if row not in tried]
                    rating = self.ratings[points]
                    routes.append(Route(kind, points, limit, key, rating.value, tuple(tried), (*tried, rating)))
            found[(no_prior, no_target)] = tuple(routes)
        return found

    def _in_order(
        self, gradespan: str, indicator: str
    ) -> Iterator[tuple[str, int, Decimal, str, tuple[PolicyRow, ...]]]:
        """Kind, points, limit, statewide value and rows of each route, from the most points down."""
        name = self.names[(gradespan, indicator)]
        limits = {
            "at_absolute_level": self.levels[self.measures[(gradespan, indicator)]],
            "above_target": self.tolerances[name],
            "within_target": self.tolerances[name],
            "no_change": self.bands[name],
            "declined": self.bands[name],
        }
        for points, kind in product(self.ratings, FAMILIES):
            if kind == COMPARISON:
                if row := self.comparisons.get(f"{name}_{points}"):
                    for key in _statewide_values(row):
                        yield kind, points, Decimal(0), key, (row,)
            elif int(self.points[kind].value) == points:
                limit = limits.get(kind)
                if limit is None:
                    yield kind, points, Decimal(0), "", (self.points[kind],)
                elif limit.value != "none":
                    yield kind, points, tables.number(limit), "", (limit, self.points[kind])


def _route_points(policy: _Policy) -> dict[str, PolicyRow]:
    """Points of each route; those of target and change fall by one from the most to 0, so that some route holds."""
    rows = policy.exactly("route_points", [kind for kind in FAMILIES if kind != COMPARISON])
    points = {kind: tables.whole(row, 0, policy.most) for kind, row in rows.items()}
    steps = [kind for kind, family in FAMILIES.items() if family in ("target", "change")]
    if [points[kind] for kind in steps] != list(range(policy.most, -1, -1)):
        raise InputError(f"{rows[steps[0]].where}: route_points of {', '.join(steps)} do not fall by one to 0")
    return rows


def _growth_bands(policy: _Policy) -> tuple[GrowthBand, ...]:
    """Bands from the highest down; together they cover the scale of the mean SGP once, in tenths."""
    rows = policy.by_points("growth_band")
    ratings = policy.by_points("rating_growth")
    ends = {points: _from_to(row) for points, row in rows.items()}
    lowest, highest = policy.scales[GROWTH_MEASURE]
    for points, is_end, scale_end in ((policy.most, 1, highest), (0, 0, lowest)):
        if (end := ends[points][is_end]) != scale_end:
            raise InputError(f"{rows[points].where}: the outermost growth band ends at {end}, the scale at {scale_end}")
    for above, below in pairwise(rows):
        begins, ended = ends[above][0], ends[below][1]
        if begins != ended + TENTH:
            what = "a gap" if begins > ended else "an overlap"
            raise InputError(f"{rows[above].where}: {what} between the bands that end at {ended} and begin at {begins}")
    tried: tuple[PolicyRow, ...] = (policy.minimum(GROWTH_MEASURE),)
    bands = []
    for points, row in rows.items():
        tried = (*tried, row)
        bands.append(GrowthBand(ends[points][0], points, ratings[points].value, (*tried, ratings[points])))
    return tuple(bands)


def _statewide_values(row: PolicyRow) -> tuple[str, ...]:
    keys = () if row.value == "none" else tuple(row.value.split())
    for key in keys:
        if not STATEWIDE_VALUE.fullmatch(key):
            raise InputError(f"{row.where}: '{key}' of {tables.name(row)} is not such as all_students_90, or none")
    return keys


def _from_to(row: PolicyRow) -> tuple[Decimal, Decimal]:
    """The two ends of a row 'from to', at most one decimal each."""
    try:
        low, high = (Decimal(part) for part in row.value.split())
        is_sound = low <= high and low * 10 % 1 == 0 == high * 10 % 1
    except (ArithmeticError, ValueError):
        is_sound = False
    if not is_sound:
        raise InputError(f"{row.where}: value '{row.value}' of {tables.name(row)} must be two numbers, from and to")
    return low, high
