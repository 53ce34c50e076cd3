"""The determinations of a year, step after step, in the order of the data.

Belongs here: which figure goes into which step. Does not: any rule; each step has a module of its own. Everything is
made from the given inputs and rules: no file, no clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from orchestration.determinations.classification import Determination, classify
from orchestration.determinations.federal import FederalDesignation, SchoolStanding, federal_designations
from orchestration.determinations.figures import Figures
from orchestration.determinations.grounds import Facts
from orchestration.determinations.participation import ParticipationRate, participation_rates
from orchestration.determinations.percentages import Percentage
from orchestration.determinations.percentile_rules import served_gradespans
from orchestration.determinations.percentiles import Percentile, percentiles
from orchestration.determinations.reading import Inputs, Organisation
from orchestration.determinations.report_columns import ALL_STUDENTS, GRADESPANS
from orchestration.determinations.scoring import Scored, figures_of, score, scored_organisations, statewide_values
from orchestration.determinations.trace import Step
from orchestration.determinations.year_rules import YearRules

GRADUATION = "four_year_graduation"
PROGRESS = ("annual", "cumulative")
"""Kinds of percentages that a classification looks at, those of all students."""


class Progress(NamedTuple):
    """A target percentage as shown, whole or None, and the key of its step."""

    shown: int | None
    key: str


class Standing(NamedTuple):
    """The percentile of a school or a student group of it, and of a group as a school of its own."""

    percentile: int | None
    alone: int | None


@dataclass
class Ranked:
    """Schools and their groups among their like: it needs all schools, and no percentage."""

    percentiles: list[Percentile] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


@dataclass
class Concluded:
    """Classifications and federal designations, made of percentiles, percentages and rates."""

    determinations: list[Determination] = field(default_factory=list)
    federal: list[FederalDesignation] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


@dataclass
class Determined(Scored, Ranked, Concluded):
    """Everything that a year's run decides: rows of each table, and the steps that led there."""


def determine(inputs: Inputs, rules: YearRules) -> Determined:
    """Determinations of every organisation of the directory. Raises InputError for inputs that cannot be."""
    figures = figures_of(inputs)
    values = statewide_values(inputs, figures, rules)
    scored = score(inputs, rules, values, scored_organisations(inputs))
    among = ranked(inputs, rules)
    standing = standing_of((p.org_code, p.student_group, p.percentile, p.alone) for p in among.percentiles)
    done = conclude(inputs, figures, rules, progress_of(scored.percentages), standing, rates_of(inputs, rules))
    steps = scored.steps + among.steps + done.steps
    return Determined(**{**vars(scored), **vars(among), **vars(done), "steps": steps})


def progress_of(percentages: Iterable[Percentage]) -> dict[str, dict[str, Progress]]:
    """Organisation to kind to its percentage of all students."""
    found: dict[str, dict[str, Progress]] = defaultdict(dict)
    for percentage in percentages:
        place, step = percentage.place, percentage.step
        if place.student_group == ALL_STUDENTS and step.kind in PROGRESS:
            shown = None if percentage.shown is None else int(percentage.shown)
            found[place.org_code][step.kind] = Progress(shown, step.key)
    return found


def standing_of(rows: Iterable[tuple[str, str, int | None, int | None]]) -> dict[str, dict[str, Standing]]:
    """Organisation to student group to its standing, from both of them, percentile and alone."""
    found: dict[str, dict[str, Standing]] = defaultdict(dict)
    for org, group, percentile, alone in rows:
        found[org][group] = Standing(percentile, alone)
    return found


def ranked(inputs: Inputs, rules: YearRules) -> Ranked:
    """The percentiles of every school."""
    schools = {code: row for code, row in inputs.organisations.items() if row.org_type == "school"}
    served = {code: _gradespans(row, rules) for code, row in schools.items()}
    values = (row for row in inputs.results if row.org_code in schools)
    return Ranked(*percentiles(rules.rules.percentiles, values, served))


def rates_of(inputs: Inputs, rules: YearRules) -> dict[str, tuple[ParticipationRate, ...]]:
    """Participation rates of every organisation of the directory, which a classification looks at."""
    rows = (row for row in inputs.participation if row.org_code in inputs.organisations)
    return participation_rates(rows, rules.combines_subjects)


def conclude(
    inputs: Inputs,
    figures: Figures,
    rules: YearRules,
    progress: Mapping[str, Mapping[str, Progress]],
    standing: Mapping[str, Mapping[str, Standing]],
    rates: Mapping[str, tuple[ParticipationRate, ...]],
) -> Concluded:
    """Classifications and federal designations of every organisation."""
    graduated = _graduation(figures, inputs.year)
    determinations, steps = _classification(inputs, rules, progress, standing, rates, graduated)
    federal, more = _federal(inputs, rules, standing, graduated)
    return Concluded(determinations, federal, steps + more)


def _gradespans(school: Organisation, rules: YearRules) -> frozenset[str]:
    """Gradespans by the grades served; where the source does not say, by the grades that have students."""
    if school.lowest_grade and school.highest_grade:
        served = served_gradespans(rules.register, rules.year, school.lowest_grade, school.highest_grade)
    else:
        enrolled = {"non_high": school.enrolment_non_high, "high": school.enrolment_high}
        served = frozenset(span for span, students in enrolled.items() if students)
    return served or frozenset({"non_high"})  # pre-kindergarten only: serves none of the high grades


def _classification(
    inputs: Inputs,
    rules: YearRules,
    progress: Mapping[str, Mapping[str, Progress]],
    standing: Mapping[str, Mapping[str, Standing]],
    rates: Mapping[str, tuple[ParticipationRate, ...]],
    graduated: Mapping[str, Decimal],
) -> tuple[list[Determination], list[Step]]:
    only = {
        row.district_code: row.org_code
        for row in inputs.organisations.values()
        if row.org_type == "school" and inputs.organisations[row.district_code].schools == 1
    }
    facts = []
    for code, row in sorted(inputs.organisations.items()):
        shown = progress.get(code, {})
        groups = {group: entry.percentile for group, entry in standing.get(code, {}).items()}
        facts.append(
            Facts(
                org_code=code,
                org_type=row.org_type,
                percentile=groups.get(ALL_STUDENTS),
                group_percentiles={group: value for group, value in groups.items() if group != ALL_STUDENTS},
                graduation_rate=graduated.get(code),
                participation=rates.get(code, ()),
                annual=shown["annual"].shown if "annual" in shown else None,
                cumulative=shown["cumulative"].shown if "cumulative" in shown else None,
                progress_keys=tuple(found.key for found in shown.values()),
                only_school=only.get(code) if row.org_type == "district" else None,
            )
        )
    return classify(rules.rules.classification, facts, inputs.designations, inputs.recognitions)


def _federal(
    inputs: Inputs,
    rules: YearRules,
    standing: Mapping[str, Mapping[str, Standing]],
    graduated: Mapping[str, Decimal],
) -> tuple[list[FederalDesignation], list[Step]]:
    """Schools whose Title I status the source has; the public hub has none, so it gives no federal designation."""
    standings = [
        SchoolStanding(
            org_code=code,
            title_i=row.title_i,
            percentile=standing[code][ALL_STUDENTS].percentile,
            graduation_rate=graduated.get(code),
            group_percentiles={g: e.percentile for g, e in standing[code].items() if g != ALL_STUDENTS},
            groups_alone={g: e.alone for g, e in standing[code].items() if g != ALL_STUDENTS},
        )
        for code, row in sorted(inputs.organisations.items())
        if row.org_type == "school" and row.title_i is not None
    ]
    return federal_designations(rules.rules.federal, standings)


def _graduation(figures: Figures, year: int) -> dict[str, Decimal]:
    """Four-year graduation rate of all students, by organisation."""
    found = {}
    for code, cells in figures.get(year, {}).items():
        for gradespan in sorted(GRADESPANS):
            row = cells.get((gradespan, ALL_STUDENTS, GRADUATION))
            if row is not None and row.status == "ok" and row.value is not None:
                found[code] = row.value
    return found
