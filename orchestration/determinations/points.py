"""Points 0 to 4 of one indicator of one group: the first route that holds, tried from the most points down.

Belongs here: applying a year's routes to exact figures, with the words of the report and the step of the trace. Does
not: any threshold (`points_rules`), nor the statewide values (`comparisons`).
Source: rulebook section 6. A row without points says why by its status; it is never a bare null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from orchestration.determinations.points_rules import COMPARISON, GrowthBand, PointsRules, Route, Yardstick
from orchestration.determinations.trace import Step, Value
from orchestration.errors import InputError
from orchestration.policy import PolicyRow


class Measured(NamedTuple):
    """One indicator of one organisation and group: exact figures of one decimal, and what they are compared with.

    `prior_n` may be None where only the figure is known (a printed report): the figure then counts as given. `path` is
    the label of the assigned path, empty for none. `comparisons` holds statewide values by name (`all_students_90`,
    `group_90`, `difficulty_quartile_80`); one that is unknown is left out. `status` is that of the indicator row.
    """

    org_code: str
    gradespan: str
    student_group: str
    indicator: str
    measure: str
    current: Decimal | None
    n: int | None
    prior: Decimal | None = None
    prior_n: int | None = None
    target: Decimal | None = None
    path: str = ""
    comparisons: Mapping[str, Decimal] = {}
    status: str = "ok"
    upstream: tuple[str, ...] = ()


class Award(NamedTuple):
    """What a figure earned. `rating` and `reason` as the report prints them; a dash where there are no points.

    `untested` are the routes passed over because their statewide value was not known; they would have given no less.
    """

    points: int | None
    rating: str
    reason: str
    route: str
    status: str
    untested: tuple[Route, ...]
    step: Step


def award(row: Measured, rules: PointsRules) -> Award:
    """Points of one figure. Raises InputError for a figure that cannot be: off its scale, more decimals, negative n."""
    yardstick = rules.yardstick(row.gradespan, row.student_group, row.indicator)
    if yardstick is None:
        return _without_points(row, rules, "not_applicable", ())
    _check(row, yardstick, rules)
    if row.status != "ok":
        return _without_points(row, rules, row.status, ())
    if row.n is not None and row.n < yardstick.minimum_n:
        return _without_points(row, rules, "n_too_small", (yardstick.minimum_row,))
    if row.current is None or row.n is None:
        return _without_points(row, rules, "missing_source", ())
    if yardstick.bands:
        band = next(band for band in yardstick.bands if row.current >= band.lowest)
        return _with_points(row, rules, "growth_band", band, ())
    has_prior = row.prior_n is None or row.prior_n >= yardstick.minimum_n
    gain = yardstick.sign * (row.current - row.prior) if has_prior and row.prior is not None else None
    lead = yardstick.sign * (row.current - row.target) if row.target is not None else None
    untested: list[Route] = []
    routes = yardstick.routes[(gain is None, lead is None)]
    for route in routes:
        if route.kind == COMPARISON and route.key not in row.comparisons:
            untested.append(route)
        elif _holds(route, row, yardstick.sign * row.current, yardstick.sign, gain, lead):
            return _with_points(row, rules, route.key or route.kind, route, untested)
    tried = routes[-1].tried if routes else ()
    return _without_points(row, rules, "no_prior_year" if gain is None else "missing_source", tried, untested)


def _holds(
    route: Route, row: Measured, current: Decimal, sign: int, gain: Decimal | None, lead: Decimal | None
) -> bool:
    """Whether a route is met. Up is better throughout: figures are turned by `sign` where lower is better."""
    match route.kind:
        case "at_absolute_level":
            return current >= sign * route.limit
        case "comparison":
            return current >= sign * row.comparisons[route.key]
        case "above_target":
            return lead is not None and lead > route.limit
        case "within_target":
            return lead is not None and lead >= -route.limit
        case "improved":
            return gain is not None and gain > 0
        case "no_change":
            return gain is not None and gain >= -route.limit
        case _:
            return gain is not None


def _check(row: Measured, yardstick: Yardstick, rules: PointsRules) -> None:
    low, high = yardstick.scale
    if row.measure != yardstick.measure:
        raise _error(row, rules, f"measure '{row.measure}' is not that of the year, {yardstick.measure}")
    for name, value in (("value", row.current), ("prior value", row.prior), ("target", row.target)):
        if value is not None and not (low <= value <= high and value * 10 % 1 == 0):
            raise _error(row, rules, f"{name} {value} is not a number of one decimal between {low} and {high}")
    for name, n in (("n", row.n), ("prior n", row.prior_n)):
        if n is not None and n < 0:
            raise _error(row, rules, f"{name} {n} is negative")
    if row.path and (row.path not in rules.paths or row.indicator not in rules.path_indicators):
        raise _error(row, rules, f"'{row.path}' is not a path of this indicator in {rules.year}")


def _error(row: Measured, rules: PointsRules, problem: str) -> InputError:
    place = f"{row.org_code} {row.gradespan} {row.student_group} {row.indicator}"
    return InputError(f"points of {rules.year}: {place}: {problem}")


def _with_points(
    row: Measured, rules: PointsRules, name: str, route: Route | GrowthBand, untested: Sequence[Route]
) -> Award:
    reason = f"{row.path}: {route.rating}" if row.path else route.rating
    outcome: dict[str, Value] = {"points": route.points, "rating": route.rating, "reason": reason, "route": name}
    step = _step(row, rules, outcome, "ok", route.cited, untested)
    return Award(route.points, route.rating, reason, name, "ok", tuple(untested), step)


def _without_points(
    row: Measured, rules: PointsRules, status: str, cited: tuple[PolicyRow, ...], untested: Sequence[Route] = ()
) -> Award:
    display = rules.none_display
    step = _step(row, rules, {"points": None, "reason": display}, status, cited, untested)
    return Award(None, display, display, "", status, tuple(untested), step)


def _step(
    row: Measured,
    rules: PointsRules,
    outcome: Mapping[str, Value],
    status: str,
    cited: tuple[PolicyRow, ...],
    untested: Sequence[Route],
) -> Step:
    inputs: dict[str, Value] = {
        "measure": row.measure,
        "current": row.current,
        "n": row.n,
        "prior": row.prior,
        "prior_n": row.prior_n,
        "target": row.target,
        "path": row.path,
        "comparisons": row.comparisons,
        "comparisons_unknown": tuple(route.key for route in untested),
    }
    return Step(
        school_year=rules.year,
        org_code=row.org_code,
        kind="points",
        rule_id="points",
        outcome=outcome,
        inputs=inputs,
        parameters=cited,
        status=status,
        gradespan=row.gradespan,
        student_group=row.student_group,
        indicator=row.indicator,
        upstream=row.upstream,
    )
