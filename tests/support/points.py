"""One figure and the points that it earns, as the worked examples write it."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

from orchestration.determinations.points import Award, Measured, award
from orchestration.determinations.points_rules import PointsRules, points_rules
from orchestration.policy import Register
from tests.support.determinations import REGISTER


@cache
def rules(year: int, register: Register = REGISTER) -> PointsRules:
    return points_rules(register, year)


def points(
    indicator: str,
    gradespan: str,
    *,
    year: int = 2025,
    group: str = "all_students",
    current: str | None,
    prior: str | None = None,
    target: str | None = None,
    n: int | None = 100,
    prior_n: int | None = 100,
    path: str = "",
    register: Register = REGISTER,
    **statewide: str,
) -> Award:
    """One figure; its measure is that of the year."""
    yardstick = rules(year, register).yardstick(gradespan, group, indicator)
    row = Measured(
        org_code="00010001",
        gradespan=gradespan,
        student_group=group,
        indicator=indicator,
        measure=yardstick.measure if yardstick else "percent",
        current=None if current is None else Decimal(current),
        n=n,
        prior=None if prior is None else Decimal(prior),
        prior_n=prior_n,
        target=None if target is None else Decimal(target),
        path=path,
        comparisons={name: Decimal(value) for name, value in statewide.items()},
    )
    return award(row, rules(year, register))
