"""The figures behind the fictional state, read from anchors.yml and courses.yml.

Belongs here: loading, typing and looking up. Does not: any figure. A misspelt key in the files fails on loading.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt
import yaml
from pydantic import BaseModel, ConfigDict

HERE = Path(__file__).resolve().parent
ByYear = dict[int, float]
LARGEST_CHANCE = 0.95
"""No drawn event is certain: products of risks stop here."""
Shares = dict[str, float]
T = TypeVar("T")


class Figures(BaseModel):
    """Base of every section: no unknown key, no change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Growth(Figures):
    """A count that grows with the number of students: reference * (students / reference_students) ** exponent."""

    reference: float
    exponent: float
    minimum: int


class County(Figures):
    share: float
    former_center: str


class Effects(Figures):
    level: float
    growth: float
    absence: float
    leaving: float
    advanced: float
    english: float
    participation: float


class GradeCut(Figures):
    elementary: int
    middle: int
    share: float
    largest_cohort: float = float("inf")


class Organisations(Figures):
    schools: Growth
    districts: Growth
    reference_students: int
    shares: Shares
    member_towns_per_regional: float
    seats: Shares
    smallest: dict[str, int]
    town_size_sigma: float
    town_size_chance: float
    school_size_sigma: float
    charter_size_sigma: float
    cohort_per_school: Shares
    alternative_seats: Shares
    alternative_cohort: float
    extra_openings: float
    without_pk: float
    title_i: Shares
    counties: dict[str, County]
    one_room_cohort: int
    grade_cuts: list[GradeCut]
    member_town_last_grade: int
    regional_split_cohort: float
    pairs: Shares
    charter_grades: list[tuple[int, int]]
    code_ranges: dict[str, int]
    effects: Effects
    alternative_leaving: float
    low_participation: Shares


class Moves(Figures):
    between_years: float
    mid_year: float
    out_of_state: float
    summer_exit: float
    arrivals: float
    same_town: float
    low_income_factor: float
    exit_status: Shares


class PopulationFigures(Figures):
    grades: dict[int, float]
    grade_spread: float
    part_time_kindergarten: float
    neighbourhood_loyalty: float
    retained: dict[int, float]
    moves: Moves
    newcomer_first_year_el: float


class Window(Figures):
    first: int
    last: int


class Calendar(Figures):
    days: dict[int, int]
    short_years: list[int]
    access: int
    march_1: int
    mcas: Window
    moves: dict[str, int]


class Concentration(Figures):
    town: float
    place: float
    spread: float


class LowIncome(Figures):
    share: ByYear
    race: Shares
    town: float
    place: float
    english_learner: float
    persistent: float
    changing: float


class EnglishLearner(Figures):
    kindergarten: float
    initial: dict[int, float]
    race: Shares
    former_years: int


class Disability(Figures):
    ever: float
    low_income: float
    begins: dict[int, float]
    ends: float
    ends_grades: list[int]
    kinds: Shares
    until_grade_3: str
    afterwards: str
    poorest: float


class Groups(Figures):
    race: Shares
    codes: dict[str, list[str]]
    concentration: dict[str, Concentration]
    town_need: Shares
    low_income: LowIncome
    english_learner: EnglishLearner
    disability: Disability


class Pull(Figures):
    low_income: float
    english: float
    disability: float
    strength: float


class Alternate(Figures):
    share: float
    levels: Shares
    scores: dict[str, int]


class Assessment(Figures):
    no_tests: list[int]
    next_generation_from: dict[str, int]
    legacy_equivalent: list[int]
    score: dict[str, int]
    levels: dict[str, int]
    legacy_levels: dict[str, int]
    link: dict[str, dict[int, int]]
    spread: Shares
    persistence: float
    starting_effects: Pull
    science_in_grade_9: float
    science_retake: float
    science_subjects: Shares
    not_tested: Shares
    not_tested_factor: ByYear
    reasons: Shares
    partial_attempt: float
    first_year_el: Shares
    alternate: Alternate
    minimum_n: int


class Access(Figures):
    tested: Shares
    making_progress: Shares
    shift: ByYear
    disability: float
    exit: Shares
    first_level: Shares
    step: dict[int, int]
    growth_spread: float
    absent_other: float
    literacy_gap: Shares
    levels: dict[str, int]


class Attendance(Figures):
    threshold: float
    chronic: ByYear
    log_effects: Shares


class NotFinishing(Figures):
    on_time: float
    behind: float
    risk_power: float
    outcome: Shares


class Advanced(Figures):
    share: ByYear
    lower_grades: float
    effects: Shares
    second: float


class Secondary(Figures):
    dropout: ByYear
    dropout_log: Shares
    dropout_reasons: Shares
    equivalency: float
    excluded: float
    not_finishing: NotFinishing
    beyond_grade_12: float
    leave_beyond: float
    last_extra_year: int
    advanced: Advanced
    course_outcome: Shares
    marks: Shares
    letters: dict[str, int]


class Ledgers(Figures):
    no_determinations: list[int]
    receivership_districts: float
    chronically_underperforming_schools: float
    underperforming_schools: float
    recognised_schools: float
    districts_with_a_lead: float
    regions: dict[str, list[str]]
    lead_capacity: list[int]
    plans_per_district: list[int]


class Defects(Figures):
    largest_share: float
    rows: Shares


class Anchors(Figures):
    """anchors.yml as a whole."""

    history_years: int
    organisations: Organisations
    population: PopulationFigures
    calendar: Calendar
    groups: Groups
    achievement: dict[str, dict[str, ByYear | str]]
    achievement_shift: dict[str, ByYear]
    assessment: Assessment
    access: Access
    attendance: Attendance
    secondary: Secondary
    ledgers: Ledgers
    defects: Defects


class Course(Figures):
    """One row of courses.yml."""

    code: str
    title: str
    kind: Literal[
        "core",
        "ap",
        "ib",
        "dual_enrolment",
        "project_lead_the_way",
        "vocational_cooperative",
        "other_rigorous",
    ]
    advanced: bool
    slot: Literal["english", "mathematics", "science", "history", "elective"]
    grades: list[int]


@cache
def load_anchors() -> Anchors:
    """Read anchors.yml."""
    return Anchors(**_read("anchors.yml"))


@cache
def load_courses() -> tuple[Course, ...]:
    """Read courses.yml."""
    return tuple(Course(**row) for row in _read("courses.yml"))


def in_year(by_year: Mapping[int, T], year: int) -> T:
    """The row of a year: the last one that is not later, else the first."""
    earlier = [y for y in by_year if y <= year]
    return by_year[max(earlier)] if earlier else by_year[min(by_year)]


def achievement_targets(anchors: Anchors, table: str, year: int) -> dict[str, float]:
    """Statewide mean scaled score a group for a table such as 'ela_high': base year's value plus the year's shift."""
    figures = anchors.achievement[table]
    shift = in_year(anchors.achievement_shift[table.split("_")[0]], year)
    source = figures.get("gaps_of", table)
    gaps = anchors.achievement[str(source)]
    level = _value(figures["all"], year) - _value(gaps["all"], year)
    return {group: _value(by_year, year) + level + shift for group, by_year in gaps.items()}


def draw(rng: np.random.Generator, shares: Mapping[Any, float], size: int) -> npt.NDArray[np.intp]:
    """Positions in `shares` drawn with their weights (which need not add up to one)."""
    weights = np.fromiter(shares.values(), float)
    return np.minimum(
        np.searchsorted(np.cumsum(weights) / weights.sum(), rng.random(size), side="right"), len(weights) - 1
    )


def _value(by_year: ByYear | str, year: int) -> float:
    if isinstance(by_year, str):
        raise TypeError(f"'{by_year}' names a table where anchors.yml must have a value by year")
    return in_year(by_year, year)


def _read(name: str) -> Any:
    return yaml.safe_load((HERE / name).read_text(encoding="utf-8"))
