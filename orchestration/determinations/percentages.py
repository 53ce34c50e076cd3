"""Target percentages: column, gradespan, annual, cumulative, in the exact order of rounding of the year's policy.

Belongs here: the arithmetic and the steps of the trace. Does not: any weight or number of decimals
(`percentage_rules`). Source: rulebook section 7. `kept` is what the next stage calculates with, `shown` what the
report prints, rounded from `kept`. Every result carries its step and its place, which the next stage takes over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from orchestration.determinations.percentage_rules import PercentageRules
from orchestration.determinations.report_columns import ALL_STUDENTS, EL_CATEGORY, LOWEST_PERFORMING, SCHEMES
from orchestration.determinations.trace import Step, Value
from orchestration.errors import InputError
from orchestration.exact import half_up
from orchestration.policy import PolicyRow

RULE_IDS = {
    "column": "weight",
    "gradespan": "population_weight",
    "annual": "gradespan_weight",
    "cumulative": "cumulative",
}
"""Kind of a step to the rule that decides it."""


class Place(NamedTuple):
    """Whose percentage it is; the gradespan is empty from the annual percentage on."""

    org_code: str
    gradespan: str
    student_group: str


class Percentage(NamedTuple):
    """A percentage of one stage; both figures are None where the status is not ok."""

    kept: Decimal | None
    shown: Decimal | None
    status: str
    place: Place
    step: Step


class ColumnScore(NamedTuple):
    """A column: its weighted totals as the report prints them, None without points, and its percentage."""

    weighted_earned: Decimal | None
    weighted_possible: Decimal | None
    percentage: Percentage


def score_column(
    place: Place,
    points: Mapping[str, int],
    rules: PercentageRules,
    *,
    otherwise: str = "missing_source",
    upstream: tuple[str, ...] = (),
) -> ColumnScore:
    """Weighted points and percentage of possible points of the column of a group.

    `points` holds the indicators that have points; what is absent drops out of earned and possible. EL progress decides
    between the two schemes of weights. `otherwise` is the status where no indicator has points, `upstream` the keys of
    the steps behind the points. Raises InputError for points that cannot be and an indicator that the column lacks.
    """
    column = rules.column(place.gradespan, place.student_group)
    for indicator, value in points.items():
        if indicator not in column.indicators:
            raise InputError(f"points of {rules.year}: {place.org_code} {column.name} has no indicator '{indicator}'")
        if not 0 <= value <= rules.most:
            where = f"{place.org_code} {column.name} {place.student_group} {indicator}"
            raise InputError(f"points of {rules.year}: {where}: {value} is not between 0 and {rules.most}")
    with_el = any(indicator in points for indicator in column.categories.get(EL_CATEGORY, ()))
    scheme = column.weights[with_el]
    totals: dict[str, tuple[int, int]] = {}
    for category in scheme:
        present = [points[indicator] for indicator in column.categories[category] if indicator in points]
        if present:
            totals[category] = sum(present), rules.most * len(present)
    places = rules.places.kept["weighted_points"]
    earned, possible = (
        half_up(
            sum((total[part] * Decimal(scheme[category].value) for category, total in totals.items()), Decimal(0))
            / 100,
            places,
        )
        for part in (0, 1)
    )
    parameters = [rules.most_row, *scheme.values(), rules.places.rows["weighted_points"], rules.places.rows["column"]]
    if len(totals) < len(scheme):
        parameters.append(rules.missing_category)
    if place.student_group not in (ALL_STUDENTS, LOWEST_PERFORMING):
        parameters.append(rules.group_row)
    shown = rules.places.shown_points
    shown_earned, shown_possible = (half_up(earned, shown), half_up(possible, shown)) if possible else (None, None)
    percentage = _percentage(
        "column",
        place,
        Fraction(100 * int(earned.scaleb(places)), int(possible.scaleb(places))) if possible else None,
        otherwise,
        rules,
        {"points": dict(points), "totals": totals, "scheme": SCHEMES[with_el]},
        parameters,
        upstream,
        {"weighted_earned": shown_earned, "weighted_possible": shown_possible},
    )
    return ColumnScore(shown_earned, shown_possible, percentage)


def gradespan_percentage(column: Percentage, lowest: Percentage | None, rules: PercentageRules) -> Percentage:
    """Mean of all students and the lowest performing; without lowest performing all students alone.

    For another student group `column` is its own and `lowest` is None.
    """
    shares = rules.populations
    parameters = [rules.places.rows["gradespan"]]
    kept = column.kept
    if kept is not None and lowest is not None and lowest.kept is not None:
        kept = (kept * shares.of["all"] + lowest.kept * shares.of["lowest"]) / 100
        parameters += shares.rows
    elif column.place.student_group == ALL_STUDENTS:
        parameters.append(rules.missing_population)
    inputs: dict[str, Value] = {"all": column.kept, "lowest": lowest.kept if lowest else None}
    upstream = tuple(part.step.key for part in (column, lowest) if part is not None)
    return _percentage("gradespan", column.place, kept, column.status, rules, inputs, parameters, upstream)


def annual_percentage(
    gradespans: Sequence[Percentage], enrolment: Mapping[str, int | Decimal] | None, rules: PercentageRules
) -> Percentage:
    """Both gradespans weighed, or the one that has a percentage alone. `gradespans` must not be empty.

    `enrolment` holds the students by gradespan whose shares weigh them (rule gradespan_weight; any scale does); it is
    not read where the policy fixes the weights. Raises InputError for a negative number and for no students at all.
    """
    values = {part.place.gradespan: part.kept for part in gradespans if part.kept is not None}
    inputs: dict[str, Value] = dict(values)
    parameters = [rules.places.rows["annual"]]
    kept: Decimal | Fraction | None = next(iter(values.values()), None)
    status = gradespans[0].status
    place = gradespans[0].place._replace(gradespan="")
    if len(values) > 1:
        weights = rules.gradespans.of if rules.gradespans else enrolment
        parameters += rules.gradespan_rows
        kept, status = None, "missing_source"
        if weights is not None:
            used = {span: weights[span] for span in values if span in weights}
            inputs["weights"] = used
            kept = _weighed(values, used, f"annual of {rules.year}: {place.org_code}")
    upstream = tuple(part.step.key for part in gradespans)
    return _percentage("annual", place, kept, status, rules, inputs, parameters, upstream)


def cumulative_percentage(current: Percentage, prior: Decimal | None, rules: PercentageRules) -> Percentage:
    """Prior and current annual weighed; without a prior one the current stands alone, if the policy says so.

    `prior` is the kept annual of `rules.prior_year` as the newest official release restates it; it is not read where
    the year stands alone. Raises InputError for a prior annual that is no percentage.
    """
    kept: Decimal | Fraction | None = current.kept
    status = current.status
    parameters = [rules.prior_row]
    if prior is not None and not 0 <= prior <= 100:
        raise InputError(f"cumulative of {rules.year}: {current.place.org_code}: prior annual {prior} is not 0 to 100")
    if rules.years is not None and prior is not None:
        prior = half_up(prior, rules.places.kept["prior_annual"])
        parameters += [*rules.years.rows, rules.places.rows["prior_annual"], rules.places.rows["cumulative"]]
        if current.kept is not None:
            weights = rules.years.of
            kept = (prior * weights["prior_weight"] + current.kept * weights["current_weight"]) / 100
    else:
        prior = None
        parameters.append(rules.without_prior)
        if not rules.current_stands_alone and kept is not None:
            kept, status = None, "no_prior_year"
    inputs: dict[str, Value] = {"current": current.kept, "prior": prior}
    stage = "annual" if prior is None else "cumulative"
    return _percentage(
        "cumulative", current.place, kept, status, rules, inputs, parameters, (current.step.key,), stage=stage
    )


def _weighed(values: Mapping[str, Decimal], weights: Mapping[str, int | Decimal], where: str) -> Fraction:
    total = sum((Fraction(weight) for weight in weights.values()), Fraction(0))
    if set(weights) != set(values) or total <= 0 or min(weights.values()) < 0:
        shown = ", ".join(f"{span} {weights.get(span)}" for span in values)
        raise InputError(f"{where}: enrolment cannot weigh the gradespans: {shown}")
    return sum((Fraction(value) * Fraction(weights[span]) for span, value in values.items()), Fraction(0)) / total


def _percentage(
    kind: str,
    place: Place,
    value: Decimal | Fraction | None,
    otherwise: str,
    rules: PercentageRules,
    inputs: Mapping[str, Value],
    parameters: Sequence[PolicyRow],
    upstream: tuple[str, ...],
    more: Mapping[str, Value] | None = None,
    *,
    stage: str = "",
) -> Percentage:
    """Round `value` as the stage (the kind, unless named) keeps it and as the report shows it; write the step."""
    kept = None if value is None else half_up(value, rules.places.kept[stage or kind])
    shown = None if kept is None else half_up(kept, rules.places.shown_percentage)
    status = otherwise if kept is None else "ok"
    step = Step(
        school_year=rules.year,
        org_code=place.org_code,
        kind=kind,
        rule_id=RULE_IDS[kind],
        outcome={"kept": kept, "shown": shown, **(more or {})},
        inputs=inputs,
        parameters=tuple(parameters),
        status=status,
        gradespan=place.gradespan,
        student_group=place.student_group,
        upstream=upstream,
    )
    return Percentage(kept, shown, status, place, step)
