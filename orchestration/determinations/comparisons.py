"""Statewide values that points are compared with: percentiles over schools, by measure, gradespan and group.

Belongs here: the percentile of exact school values and who counts. Does not: which route uses which value
(`points_rules`). Source: rulebook section 6.1 and open question 5: the Department names these values, it does not
publish them here, so they come from the schools at hand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple, TypeAlias

from orchestration import policy_tables as tables
from orchestration.determinations.points_rules import COMPARISON, PointsRules, Yardstick
from orchestration.determinations.report_columns import ALL_STUDENTS, LEVELS
from orchestration.determinations.trace import Step
from orchestration.policy import PolicyRow, Register

Pool: TypeAlias = tuple[str, str, str, str]


@dataclass(frozen=True)
class ComparisonRules:
    """Who is compared, and how many there must be: with fewer the percentile would be the best school itself."""

    organisations: str
    least: int
    rows: tuple[PolicyRow, ...]


class SchoolValue(NamedTuple):
    """One indicator row of status ok. `quartile` is the difficulty quartile of EL progress, where it was given."""

    org_type: str
    gradespan: str
    student_group: str
    indicator: str
    value: Decimal
    n: int
    quartile: str = ""


@dataclass(frozen=True)
class Comparisons:
    """The statewide values of a year by (gradespan, student group, indicator, quartile or empty), with their steps."""

    values: Mapping[Pool, Mapping[int, Decimal]]
    steps: Mapping[Pool, Step]

    @cached_property
    def _known(self) -> dict[Pool, tuple[Mapping[str, Decimal], tuple[str, ...]]]:
        """What was asked before: a few hundred pools stand behind hundreds of thousands of figures."""
        return {}

    def of(self, gradespan: str, student_group: str, indicator: str, quartile: str = "") -> Mapping[str, Decimal]:
        """What `award` takes as comparisons: value by name; one that could not be made is left out."""
        return self.with_keys((gradespan, student_group, indicator, quartile))[0]

    def keys(self, gradespan: str, student_group: str, indicator: str, quartile: str = "") -> tuple[str, ...]:
        """Keys of the steps behind `of`, for the trace."""
        return self.with_keys((gradespan, student_group, indicator, quartile))[1]

    def with_keys(self, asked: Pool) -> tuple[Mapping[str, Decimal], tuple[str, ...]]:
        """Both of them."""
        if (known := self._known.get(asked)) is None:
            among = pools(*asked)
            values = {
                f"{name}_{percentile}": value
                for name, pool in among.items()
                for percentile, value in self.values.get(pool, {}).items()
            }
            keys = tuple(self.steps[pool].key for pool in dict.fromkeys(among.values()) if pool in self.steps)
            known = self._known[asked] = values, keys
        return known


def comparison_rules(register: Register, year: int) -> ComparisonRules:
    """The rules of `year`. Raises InputError naming the row that is missing or unknown."""
    names = ("method", "organisations", "least_organisations")
    rows = tables.exactly(tables.table(register, year, "statewide_percentile"), names, "statewide_percentile", year)
    tables.word(rows["method"], ("nearest_rank",))
    return ComparisonRules(
        organisations=tables.word(rows["organisations"], LEVELS),
        least=tables.whole(rows["least_organisations"], 1),
        rows=tuple(rows.values()),
    )


def statewide(
    values: Iterable[SchoolValue], rules: ComparisonRules, points: PointsRules, state_code: str
) -> Comparisons:
    """The values of every percentile that a route of the year names. The order of `values` does not matter."""
    pools: dict[Pool, list[Decimal]] = defaultdict(list)
    for row in values:
        yardstick = points.yardstick(row.gradespan, row.student_group, row.indicator)
        if row.org_type == rules.organisations and yardstick is not None and row.n >= yardstick.minimum_n:
            pools[(row.gradespan, row.student_group, row.indicator, "")].append(row.value)
            if row.quartile:
                pools[(row.gradespan, row.student_group, row.indicator, row.quartile)].append(row.value)
    found: dict[Pool, dict[int, Decimal]] = {}
    steps: dict[Pool, Step] = {}
    for pool, figures in sorted(pools.items()):
        gradespan, group, indicator, quartile = pool
        yardstick = points.yardstick(gradespan, group, indicator)
        if yardstick is None or not (percentiles := _percentiles(yardstick)):
            continue
        enough = len(figures) >= rules.least
        found[pool] = {p: nearest_rank(figures, p, yardstick.sign) for p in percentiles} if enough else {}
        steps[pool] = Step(
            school_year=points.year,
            org_code=state_code,
            kind=f"comparison_quartile_{quartile}" if quartile else "comparison",
            rule_id="statewide_percentile",
            outcome={str(percentile): value for percentile, value in found[pool].items()},
            inputs={"organisations": len(figures), "lowest": min(figures), "highest": max(figures)},
            parameters=(*rules.rows, yardstick.minimum_row),
            status="ok" if enough else "n_too_small",
            gradespan=gradespan,
            student_group=group,
            indicator=indicator,
        )
    return Comparisons(found, steps)


def nearest_rank(values: Iterable[Decimal], percentile: int, sign: int) -> Decimal:
    """The least good value that is at least as good as `percentile` percent of `values`; one of them, unrounded.

    `sign` is -1 where lower is better. `values` must not be empty.
    """
    ordered = sorted(values, reverse=sign < 0)
    rank = -(-percentile * len(ordered) // 100)  # rounded up, in whole numbers
    return ordered[rank - 1]


def _percentiles(yardstick: Yardstick) -> tuple[int, ...]:
    """Percentiles that any route of the yardstick compares with."""
    keys = {route.key for route in yardstick.routes.get((False, False), ()) if route.kind == COMPARISON}
    return tuple(sorted({int(key.rpartition("_")[2]) for key in keys}))


def pools(gradespan: str, student_group: str, indicator: str, quartile: str = "") -> dict[str, Pool]:
    """Population as routes name it to the pool that a figure is compared with; the quartile is that of all students."""
    among = {
        "all_students": (gradespan, ALL_STUDENTS, indicator, ""),
        "group": (gradespan, student_group, indicator, ""),
    }
    return among | ({"difficulty_quartile": (gradespan, ALL_STUDENTS, indicator, quartile)} if quartile else {})
