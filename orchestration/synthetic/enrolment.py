"""SIMS: who is enrolled where on October 1, on March 1 and over the year, with days of attendance and membership.

Belongs here: absence and the three SIMS tables. Does not: who moves (movement.py).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from orchestration.synthetic import groups
from orchestration.synthetic.anchors import LARGEST_CHANCE, Anchors, in_year
from orchestration.synthetic.layout import PRE_K
from orchestration.synthetic.movement import ENROLLED, STATUSES, Spells, Year
from orchestration.synthetic.organisations import GRADE_CODES, Directory
from orchestration.synthetic.population import Floats, Population
from orchestration.synthetic.rng import Stream, generator
from orchestration.synthetic.writing import (
    Coded,
    Column,
    Numbers,
    Table,
    constant,
    flags,
    missing,
    student_ids,
)

PART_TIME = "KP"
GRADE_VALUES = (*GRADE_CODES, PART_TIME)


def absence_rates(life: Year, directory: Directory, anchors: Anchors, seed: int) -> Floats:
    """Share of days each student is absent in a year: lognormal, with the level that gives the year's chronic share.

    The chronic share is that of grades 1-12 with at least `threshold` of the days absent.
    """
    students, figures = life.students, anchors.attendance
    rng = generator(seed, life.year, Stream.ABSENCE)
    effects = figures.log_effects
    log = effects["persistent"] * students.absence + effects["changing"] * rng.standard_normal(
        len(students), np.float32
    )
    log += effects["low_income"] * students.low_income + effects["disability"] * students.disability
    log += effects["english"] * students.english_learner + effects["high_school"] * (students.grade >= 9)
    log += directory.effects["absence"][students.school]
    counted = (students.grade >= 1) & (students.grade <= 12)
    level = np.quantile(log[counted], 1 - in_year(figures.chronic, life.year) / 100)
    # Days are whole: half of those who are half a day below the first chronic count are rounded up to it.
    line = (np.ceil(figures.threshold * life.days) - 0.5) / life.days
    rates: Floats = np.minimum(line * np.exp(log - level), LARGEST_CHANCE).astype(np.float32)
    return rates


def october_1(life: Year, directory: Directory, anchors: Anchors) -> Table:
    """A row each student enrolled on October 1; nothing is known of the days yet."""
    spells = life.spells
    rows = _by_school(spells, np.flatnonzero(spells.first == 1))
    table = _table(life, rows, directory, anchors, "october_1")
    empty = missing(len(rows))
    return table | {"days_in_attendance": empty, "days_in_membership": empty, "enrolled_since_october": empty}


def march_1(life: Year, directory: Directory, anchors: Anchors, rates: Floats) -> Table:
    """A row each student enrolled on March 1, with the days up to it."""
    spells, day = life.spells, anchors.calendar.march_1
    rows = _by_school(spells, spells.on(day))
    table = _table(life, rows, directory, anchors, "march_1")
    return table | _days(life, rows, np.minimum(spells.last[rows], day), rates, day)


def end_of_year(life: Year, directory: Directory, anchors: Anchors, rates: Floats) -> Table:
    """A row each student and school attended since October 1, with the status at the end."""
    spells = life.spells
    rows = _by_school(spells, np.arange(len(spells.student)))
    table = _table(life, rows, directory, anchors, "end_of_year")
    table["enrollment_status"] = Coded(spells.status[rows], STATUSES)
    return table | _days(life, rows, spells.last[rows], rates, anchors.calendar.mcas.first)


def school_column(school: npt.NDArray[np.int16], directory: Directory) -> Coded:
    """Organisation codes of schools by position."""
    return Coded(school, tuple(directory.code))


def grade_column(students: Population, which: npt.NDArray[Any], anchors: Anchors) -> Coded:
    """Grade codes; a small, fixed share of kindergartners attends part of the day."""
    grade = students.grade[which] - PRE_K
    share = anchors.population.part_time_kindergarten
    part_time = (students.grade[which] == 0) & (students.serial[which] % 1000 < 1000 * share)
    return Coded(np.where(part_time, len(GRADE_VALUES) - 1, grade).astype(np.int8), GRADE_VALUES)


def _by_school(spells: Spells, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Rows in the order of a delivery: school after school."""
    return rows[np.argsort(spells.school[rows], kind="stable")]


def _table(life: Year, rows: npt.NDArray[np.intp], directory: Directory, anchors: Anchors, part: str) -> Table:
    students, spells, figures = life.students, life.spells, anchors.groups
    who = spells.student[rows]
    return {
        "school_year": constant(str(life.year), len(rows)),
        "collection_period": constant(part, len(rows)),
        "sasid": student_ids(students.serial[who]),
        "school_code": school_column(spells.school[rows], directory),
        "grade": grade_column(students, who, anchors),
        "reason_for_reporting": constant("01", len(rows)),
        "enrollment_status": Coded(np.full(len(rows), ENROLLED, np.int8), STATUSES),
        "race_ethnicity": Coded(students.race_code[who], groups.race_codes(figures)),
        "low_income": flags(students.low_income[who], "00", "01"),
        "el_first_year": flags(students.first_year[who], "00", "01"),
        "english_learner": flags(students.english_learner[who], "00", "01"),
        "former_english_learner": flags(students.former_years[who] > 0),
        "disability": Coded(groups.disability_codes(students, figures, who), groups.disability_values(figures)),
    }


def _days(
    life: Year, rows: npt.NDArray[np.intp], last: npt.NDArray[np.int16], rates: Floats, until: int
) -> dict[str, Column]:
    """Membership from the first day to `last`, attendance by the student's rate, whether in school on day `until`."""
    spells = life.spells
    who = spells.student[rows]
    member = (last - spells.first[rows] + 1).astype(np.int16)
    # The fraction of a day is rounded up or down by a fixed share of the students, not by a draw: March and the end
    # of the year then agree.
    fraction = (life.students.serial[who] % 97 + 0.5) / 97
    absent = np.floor(rates[who] * member + fraction).astype(np.int16)
    return {
        "days_in_attendance": Numbers(member - np.minimum(absent, member)),
        "days_in_membership": Numbers(member),
        "enrolled_since_october": flags((spells.first[rows] == 1) & (spells.last[rows] >= until)),
    }
