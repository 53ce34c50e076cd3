"""Targets, points and percentages: what an organisation has by its own figures, once the statewide values are known.

Belongs here: which figure goes into which step, one organisation after another. Does not: any rule, nor what needs all
organisations at once (`determining`). An organisation's steps come out in the order in which the trace numbers them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from orchestration.determinations.comparisons import Comparisons, SchoolValue, statewide
from orchestration.determinations.figures import Cell, Figures, Key, Result, by_year
from orchestration.determinations.percentages import (
    ColumnScore,
    Percentage,
    Place,
    annual_percentage,
    cumulative_percentage,
    gradespan_percentage,
    score_column,
)
from orchestration.determinations.points import Award, Measured, award
from orchestration.determinations.reading import Inputs
from orchestration.determinations.report_columns import ALL_STUDENTS, GRADESPANS, LOWEST_PERFORMING
from orchestration.determinations.scoring_rules import ScoringRules
from orchestration.determinations.targets import Basis, Target, target_basis, targets_of
from orchestration.determinations.trace import Step
from orchestration.determinations.year_rules import YearRules

STATE = "00000000"


class Statewide(NamedTuple):
    """What all organisations make together, and each is then scored by."""

    basis: Basis
    comparisons: Comparisons

    def among(self, figures: Figures) -> Statewide:
        """The same values for the scoring of other organisations: those with these figures."""
        return Statewide(self.basis._replace(figures=figures), self.comparisons)


@dataclass
class Scored:
    """Rows of some organisations, and the steps that led there."""

    targets: list[Target] = field(default_factory=list)
    awards: dict[Key, Award] = field(default_factory=dict)
    columns: list[ColumnScore] = field(default_factory=list)
    percentages: list[Percentage] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


def figures_of(inputs: Inputs) -> Figures:
    """Results of the organisations of the directory; those of a school that has closed count nowhere."""
    return by_year(row for row in inputs.results if row.org_code in inputs.organisations)


def statewide_values(inputs: Inputs, figures: Figures, rules: YearRules) -> Statewide | None:
    """The values of a year with points, else None. Raises InputError for inputs that cannot be."""
    if rules.scoring is None:
        return None
    now = (row for cells in figures.get(inputs.year, {}).values() for row in cells.values())
    comparisons = statewide(
        (
            SchoolValue(row.org_type, row.gradespan, row.student_group, row.indicator, row.value, row.n)
            for row in now
            if row.status == "ok" and row.value is not None
        ),
        rules.scoring.comparisons,
        rules.scoring.points,
        STATE,
    )
    return Statewide(target_basis(rules.rules.targets, figures, inputs.published_targets), comparisons)


def scored_organisations(inputs: Inputs) -> list[str]:
    """Codes of all that have rows or steps, in order; the workbook may name some that the directory does not."""
    return sorted({STATE, *inputs.organisations, *(str(row["org_code"]) for row in inputs.published_targets)})


def score(inputs: Inputs, rules: YearRules, values: Statewide | None, organisations: Iterable[str]) -> Scored:
    """Targets, points and percentages of `organisations`. Raises InputError for a figure that cannot be."""
    done = Scored()
    corrections: dict[str, list[Step]] = defaultdict(list)
    for row in inputs.corrections:
        org = row.org_code if row.org_code in inputs.organisations else STATE
        corrections[org].append(row.step(inputs.year, org))
    for org in organisations:
        done.steps += corrections.get(org, ())
        if values is None or rules.scoring is None:
            continue
        targets, steps = targets_of(rules.rules.targets, values.basis, org)
        done.targets += targets
        done.steps += steps
        if org == STATE:
            done.steps += values.comparisons.steps.values()
        goals = {(t.gradespan, t.student_group, t.indicator): t for t in targets}
        awards = _points(values, goals, org, inputs.year, rules)
        done.awards |= {(org, *cell): found for cell, found in awards.items()}
        done.steps += [found.step for found in awards.values()]
        _percentages(done, org, awards, inputs, rules.scoring)
    return done


def points_again(inputs: Inputs, rules: YearRules, values: Statewide, of: Mapping[str, Iterable[Cell]]) -> list[Step]:
    """The steps of the points of some figures: organisation to cells."""
    steps: list[Step] = []
    for org, cells in of.items():
        targets, _ = targets_of(rules.rules.targets, values.basis, org, cells)
        goals = {(t.gradespan, t.student_group, t.indicator): t for t in targets}
        steps += [found.step for found in _points(values, goals, org, inputs.year, rules, cells).values()]
    return steps


def _points(
    values: Statewide,
    goals: Mapping[Cell, Target],
    org: str,
    year: int,
    rules: YearRules,
    only: Iterable[Cell] | None = None,
) -> dict[Cell, Award]:
    """Points of every figure of the year, or `only` of some, that stands in a column of its level's report."""
    now, before = (values.basis.figures.get(y, {}).get(org, {}) for y in (year, year - 1))
    found: dict[Cell, Award] = {}
    if (scoring := rules.scoring) is None:
        return found
    for cell in sorted(now if only is None else only):
        row, (gradespan, group, _) = now[cell], cell
        if group == LOWEST_PERFORMING and f"{gradespan}_lowest" not in rules.columns[row.org_type]:
            continue
        if scoring.points.yardstick(*cell) is not None:
            measured = _measured(row, before.get(cell), goals.get(cell), values.comparisons)
            found[cell] = award(measured, scoring.points)
    return found


def _measured(row: Result, prior: Result | None, goal: Target | None, comparisons: Comparisons) -> Measured:
    """A figure with what it is compared with; a prior value on another measure is none."""
    if prior is not None and prior.measure != row.measure:
        prior = None
    figure = row.gradespan, row.student_group, row.indicator
    known, upstream = comparisons.with_keys((*figure, ""))
    if goal is not None and goal.target is not None:
        upstream = ("/".join((str(row.school_year), row.org_code, "target", *figure)), *upstream)
    return Measured(
        org_code=row.org_code,
        gradespan=row.gradespan,
        student_group=row.student_group,
        indicator=row.indicator,
        measure=row.measure,
        current=row.value,
        n=row.n,
        prior=prior.value if prior else None,
        prior_n=prior.n if prior else None,
        target=goal.target if goal else None,
        path=(goal.path or "") if goal else "",
        comparisons=known,
        status=row.status,
        upstream=upstream,
    )


def _percentages(done: Scored, org: str, awards: Mapping[Cell, Award], inputs: Inputs, scoring: ScoringRules) -> None:
    """Column, gradespan, annual and cumulative percentages of every student group with figures."""
    by_place: dict[Place, dict[str, Award]] = defaultdict(dict)
    for (gradespan, group, indicator), found in awards.items():
        by_place[Place(org, gradespan, group)][indicator] = found
    scores = {place: _column(place, of_place, scoring) for place, of_place in by_place.items()}
    spans: dict[str, list[Percentage]] = defaultdict(list)
    for place, column in sorted(scores.items(), key=lambda item: _order(item[0])):
        if place.student_group == LOWEST_PERFORMING:
            continue
        lowest = None
        if place.student_group == ALL_STUDENTS:
            lowest = scores.get(Place(org, place.gradespan, LOWEST_PERFORMING))
        spans[place.student_group].append(
            gradespan_percentage(column.percentage, lowest.percentage if lowest else None, scoring.percentages)
        )
    percentages: list[Percentage] = []
    for group, parts in spans.items():
        percentages += [*parts, *_annual(org, group, parts, inputs, scoring)]
    done.columns += scores.values()
    done.percentages += percentages
    done.steps += [column.percentage.step for column in scores.values()]
    done.steps += [percentage.step for percentage in percentages]


def _annual(
    org: str, group: str, parts: Sequence[Percentage], inputs: Inputs, scoring: ScoringRules
) -> tuple[Percentage, Percentage]:
    """Annual and cumulative percentage of a student group."""
    organisation = inputs.organisations[org]
    enrolment = {"non_high": organisation.enrolment_non_high, "high": organisation.enrolment_high}
    annual = annual_percentage(parts, enrolment, scoring.percentages)
    prior = (inputs.prior_annuals or {}).get((org, group))
    return annual, cumulative_percentage(annual, prior, scoring.percentages)


def _column(place: Place, awards: Mapping[str, Award], scoring: ScoringRules) -> ColumnScore:
    points = {indicator: found.points for indicator, found in awards.items() if found.points is not None}
    without = next((found.status for _, found in sorted(awards.items()) if found.points is None), "missing_source")
    return score_column(
        place,
        points,
        scoring.percentages,
        otherwise=without,
        upstream=tuple(found.step.key for found in awards.values() if found.points is not None),
    )


def _order(place: Place) -> tuple[str, int]:
    return place.student_group, GRADESPANS.index(place.gradespan)
