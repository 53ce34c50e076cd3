"""The determinations of a year, step after step, in the order of the data.

Belongs here: which figure goes into which step. Does not: any rule; each step has a module of its own. Everything is
made from the given inputs and rules: no file, no clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from orchestration.determinations.classification import Determination, classify
from orchestration.determinations.classification_rules import combined_subjects
from orchestration.determinations.comparisons import Comparisons, SchoolValue, statewide
from orchestration.determinations.determination_rules import DeterminationRules, load_determination_rules
from orchestration.determinations.federal import FederalDesignation, SchoolStanding, federal_designations
from orchestration.determinations.grounds import Facts
from orchestration.determinations.participation import participation_rates
from orchestration.determinations.percentages import (
    ColumnScore,
    Percentage,
    Place,
    annual_percentage,
    cumulative_percentage,
    gradespan_percentage,
    score_column,
)
from orchestration.determinations.percentile_rules import served_gradespans
from orchestration.determinations.percentiles import IndicatorValue, Percentile, percentiles
from orchestration.determinations.points import Award, Measured, award
from orchestration.determinations.reading import Inputs, Organisation
from orchestration.determinations.report_columns import (
    ALL_STUDENTS,
    GRADESPANS,
    LEVELS,
    LOWEST_PERFORMING,
    reported_columns,
)
from orchestration.determinations.scoring_rules import ScoringRules, scoring_rules, years_with_points
from orchestration.determinations.targets import Key, Result, Target, targets
from orchestration.determinations.trace import Step
from orchestration.policy import Register

STATE = "00000000"
GRADUATION = "four_year_graduation"


@dataclass(frozen=True)
class YearRules:
    """Everything that decides a year, checked. `scoring` is None in a year without points."""

    year: int
    scoring: ScoringRules | None
    rules: DeterminationRules
    columns: Mapping[str, tuple[str, ...]]
    combines_subjects: bool
    register: Register


@dataclass
class Determined:
    """What a year's run decides: rows of each table, and the steps that led there."""

    targets: list[Target] = field(default_factory=list)
    awards: dict[Key, Award] = field(default_factory=dict)
    columns: list[ColumnScore] = field(default_factory=list)
    percentages: list[Percentage] = field(default_factory=list)
    percentiles: list[Percentile] = field(default_factory=list)
    determinations: list[Determination] = field(default_factory=list)
    federal: list[FederalDesignation] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


def year_rules(register: Register, year: int) -> YearRules:
    """The rules of `year`. Raises InputError naming the policy row that is missing or contradicts another."""
    return YearRules(
        year=year,
        scoring=scoring_rules(register, year) if year in years_with_points(register) else None,
        rules=load_determination_rules(register, year),
        columns={level: reported_columns(register, year, level) for level in LEVELS},
        combines_subjects=combined_subjects(register, year),
        register=register,
    )


def determine(inputs: Inputs, rules: YearRules) -> Determined:
    """Determinations of every organisation of the directory. Raises InputError for inputs that cannot be."""
    done = Determined()
    known = inputs.organisations
    done.steps += [c.step(inputs.year, c.org_code if c.org_code in known else STATE) for c in inputs.corrections]
    own = (row for row in inputs.results if row.school_year == inputs.year and row.org_code in known)
    now = sorted(own, key=lambda row: row.key)  # the steps are numbered in this order
    if rules.scoring is not None:
        done.targets, steps = targets(
            rules.rules.targets, (row for row in inputs.results if row.org_code in known), inputs.published_targets
        )
        done.steps += steps
        _points(done, now, inputs, rules, rules.scoring)
        _percentages(done, inputs, rules.scoring)
    _percentiles(done, inputs, rules)
    _classification(done, now, inputs, rules)
    _federal(done, now, inputs, rules)
    return done


def _points(done: Determined, now: Iterable[Result], inputs: Inputs, rules: YearRules, scoring: ScoringRules) -> None:
    """Points of every figure of the year that stands in a column of its level's report."""
    comparisons = statewide(
        (
            SchoolValue(row.org_type, row.gradespan, row.student_group, row.indicator, row.value, row.n)
            for row in now
            if row.status == "ok" and row.value is not None
        ),
        scoring.comparisons,
        scoring.points,
        STATE,
    )
    done.steps += comparisons.steps.values()
    before = {row.key: row for row in inputs.results if row.school_year == inputs.year - 1}
    goals = {(t.org_code, t.gradespan, t.student_group, t.indicator): t for t in done.targets}
    for row in now:
        is_lowest = row.student_group == LOWEST_PERFORMING
        if is_lowest and f"{row.gradespan}_lowest" not in rules.columns[row.org_type]:
            continue
        if scoring.points.yardstick(row.gradespan, row.student_group, row.indicator) is None:
            continue
        key = row.key
        measured = _measured(row, before.get(key), goals.get(key), comparisons)
        done.awards[key] = found = award(measured, scoring.points)
        done.steps.append(found.step)


def _measured(row: Result, prior: Result | None, goal: Target | None, comparisons: Comparisons) -> Measured:
    """A figure with what it is compared with; a prior value on another measure is none."""
    if prior is not None and prior.measure != row.measure:
        prior = None
    has_target = goal is not None and goal.target is not None
    figure = row.gradespan, row.student_group, row.indicator
    behind = comparisons.keys(*figure)
    target_key = (f"{row.school_year}/{row.org_code}/target/{row.gradespan}/{row.student_group}/{row.indicator}",)
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
        comparisons=comparisons.of(*figure),
        status=row.status,
        upstream=(*target_key, *behind) if has_target else behind,
    )


def _percentages(done: Determined, inputs: Inputs, scoring: ScoringRules) -> None:
    """Column, gradespan, annual and cumulative percentages of every organisation and student group with figures."""
    by_place: dict[Place, dict[str, Award]] = defaultdict(dict)
    for (org, gradespan, group, indicator), found in done.awards.items():
        by_place[Place(org, gradespan, group)][indicator] = found
    scores = {place: _column(place, awards, scoring) for place, awards in by_place.items()}
    done.columns += scores.values()
    spans: dict[tuple[str, str], list[Percentage]] = defaultdict(list)
    for place, score in sorted(scores.items(), key=lambda item: _order(item[0])):
        if place.student_group == LOWEST_PERFORMING:
            continue
        lowest = None
        if place.student_group == ALL_STUDENTS:
            lowest = scores.get(Place(place.org_code, place.gradespan, LOWEST_PERFORMING))
        spans[place.org_code, place.student_group].append(
            gradespan_percentage(score.percentage, lowest.percentage if lowest else None, scoring.percentages)
        )
    for (org, group), parts in spans.items():
        organisation = inputs.organisations[org]
        enrolment = {"non_high": organisation.enrolment_non_high, "high": organisation.enrolment_high}
        annual = annual_percentage(parts, enrolment, scoring.percentages)
        prior = (inputs.prior_annuals or {}).get((org, group))
        done.percentages += [*parts, annual, cumulative_percentage(annual, prior, scoring.percentages)]
    done.steps += [score.percentage.step for score in done.columns]
    done.steps += [percentage.step for percentage in done.percentages]


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


def _order(place: Place) -> tuple[str, str, int]:
    return place.org_code, place.student_group, GRADESPANS.index(place.gradespan)


def _percentiles(done: Determined, inputs: Inputs, rules: YearRules) -> None:
    schools = {code: row for code, row in inputs.organisations.items() if row.org_type == "school"}
    served = {code: _gradespans(row, rules) for code, row in schools.items()}
    values = (
        IndicatorValue(
            row.school_year, row.org_code, row.gradespan, row.student_group, row.indicator, row.value, row.n, row.status
        )
        for row in inputs.results
        if row.org_code in schools
    )
    done.percentiles, steps = percentiles(rules.rules.percentiles, values, served)
    done.steps += steps


def _gradespans(school: Organisation, rules: YearRules) -> frozenset[str]:
    """Gradespans by the grades served; where the source does not say, by the grades that have students."""
    if school.lowest_grade and school.highest_grade:
        served = served_gradespans(rules.register, rules.year, school.lowest_grade, school.highest_grade)
    else:
        enrolled = {"non_high": school.enrolment_non_high, "high": school.enrolment_high}
        served = frozenset(span for span, students in enrolled.items() if students)
    return served or frozenset({"non_high"})  # pre-kindergarten only: serves none of the high grades


def _classification(done: Determined, now: Iterable[Result], inputs: Inputs, rules: YearRules) -> None:
    ranked: dict[str, dict[str, int | None]] = defaultdict(dict)
    for entry in done.percentiles:
        ranked[entry.org_code][entry.student_group] = entry.percentile
    graduated = _graduation(now)
    rates = participation_rates(
        (row for row in inputs.participation if row.org_code in inputs.organisations), rules.combines_subjects
    )
    progress: dict[str, dict[str, Percentage]] = defaultdict(dict)
    for percentage in done.percentages:
        if percentage.place.student_group == ALL_STUDENTS and percentage.step.kind in ("annual", "cumulative"):
            progress[percentage.place.org_code][percentage.step.kind] = percentage
    only = {
        row.district_code: row.org_code
        for row in inputs.organisations.values()
        if row.org_type == "school" and inputs.organisations[row.district_code].schools == 1
    }
    facts = []
    for code, row in sorted(inputs.organisations.items()):
        shown = {kind: found.shown for kind, found in progress[code].items()}
        groups = ranked[code]
        facts.append(
            Facts(
                org_code=code,
                org_type=row.org_type,
                percentile=groups.get(ALL_STUDENTS),
                group_percentiles={group: value for group, value in groups.items() if group != ALL_STUDENTS},
                graduation_rate=graduated.get(code),
                participation=rates.get(code, ()),
                annual=_whole(shown.get("annual")),
                cumulative=_whole(shown.get("cumulative")),
                progress_keys=tuple(found.step.key for found in progress[code].values()),
                only_school=only.get(code) if row.org_type == "district" else None,
            )
        )
    done.determinations, steps = classify(rules.rules.classification, facts, inputs.designations, inputs.recognitions)
    done.steps += steps


def _federal(done: Determined, now: Iterable[Result], inputs: Inputs, rules: YearRules) -> None:
    """Schools whose Title I status the source has; the public hub has none, so it gives no federal designation."""
    own: dict[str, dict[str, Percentile]] = defaultdict(dict)
    for entry in done.percentiles:
        own[entry.org_code][entry.student_group] = entry
    graduated = _graduation(now)
    standings = [
        SchoolStanding(
            org_code=code,
            title_i=row.title_i,
            percentile=own[code][ALL_STUDENTS].percentile,
            graduation_rate=graduated.get(code),
            group_percentiles={g: e.percentile for g, e in own[code].items() if g != ALL_STUDENTS},
            groups_alone={g: e.alone for g, e in own[code].items() if g != ALL_STUDENTS},
        )
        for code, row in sorted(inputs.organisations.items())
        if row.org_type == "school" and row.title_i is not None
    ]
    done.federal, steps = federal_designations(rules.rules.federal, standings)
    done.steps += steps


def _graduation(now: Iterable[Result]) -> dict[str, Decimal]:
    """Four-year graduation rate of all students, by organisation."""
    return {
        row.org_code: row.value
        for row in now
        if row.indicator == GRADUATION
        and row.student_group == ALL_STUDENTS
        and row.status == "ok"
        and row.value is not None
    }


def _whole(shown: Decimal | None) -> int | None:
    return None if shown is None else int(shown)
