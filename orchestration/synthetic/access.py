"""ACCESS: English learners' yearly test, their progress, and who is reclassified.

Belongs here: levels, targets, progress. Does not: who is an English learner on arrival (groups.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from orchestration.synthetic.anchors import Anchors, in_year
from orchestration.synthetic.enrolment import grade_column, school_column
from orchestration.synthetic.movement import Year
from orchestration.synthetic.organisations import Directory
from orchestration.synthetic.rng import Stream, generator
from orchestration.synthetic.writing import Coded, Table, constant, flags, student_ids, tenths

STATUSES = ("T", "NTA", "NTO")


@dataclass
class AccessResult:
    """Rows of the delivery; levels in tenths, 0 without."""

    student: npt.NDArray[np.int32]
    school: npt.NDArray[np.int16]
    status: npt.NDArray[np.int8]
    overall: npt.NDArray[np.int16]
    literacy: npt.NDArray[np.int16]
    prior: npt.NDArray[np.int16]
    target: npt.NDArray[np.int16]
    attained: npt.NDArray[np.bool_]
    reclassified: npt.NDArray[np.bool_]
    """Over all students of the year: no English learner next year."""


def hold_access(life: Year, directory: Directory, anchors: Anchors, seed: int) -> AccessResult:
    """Test the English learners and note their level in them."""
    students, spells, figures = life.students, life.spells, anchors.access
    rng = generator(seed, life.year, Stream.ACCESS)
    rows = spells.on(anchors.calendar.access)
    rows = rows[students.english_learner[spells.student[rows]] & (students.grade[spells.student[rows]] >= 0)]
    rows = rows[np.argsort(spells.school[rows], kind="stable")]
    who, school = spells.student[rows], spells.school[rows]
    n = len(rows)
    high = students.grade[who] >= 9
    tested = rng.random(n) < np.where(high, figures.tested["high"], figures.tested["non_high"])
    status = np.where(tested, 0, 1 + (rng.random(n) < figures.absent_other)).astype(np.int8)

    prior = students.english_level[who].astype(np.int16)
    target = _targets(prior, anchors)
    growth = rng.normal(0, 1, n) + figures.disability * students.disability[who] + directory.effects["english"][school]
    beyond_target = np.zeros(n)
    for span, own in (("high", high), ("non_high", ~high)):
        counted = own & tested & (prior > 0)
        if counted.any():
            share = (figures.making_progress[span] + in_year(figures.shift, life.year)) / 100
            beyond_target[own] = figures.growth_spread * (growth[own] - np.quantile(growth[counted], 1 - share))
    first = figures.first_level
    start = np.where(students.grade[who] <= first["last_low_grade"], first["low_grades"], first["high_grades"])
    level = np.where(prior > 0, target + np.floor(beyond_target), start + first["spread"] * rng.normal(0, 1, n))
    low, top = figures.levels["minimum"], figures.levels["maximum"]
    overall = np.clip(np.rint(level), low, top).astype(np.int16)
    gap = figures.literacy_gap
    literacy = np.clip(overall + np.rint(rng.normal(gap["mean"], gap["spread"], n)), low, top).astype(np.int16)
    overall[~tested] = literacy[~tested] = 0
    students.english_level[who[tested]] = overall[tested]

    attained = (overall >= figures.exit["overall"]) & (literacy >= figures.exit["literacy"])
    leaves = np.zeros(len(students), np.bool_)
    leaves[who[attained & (rng.random(n) < figures.exit["leave"])]] = True
    return AccessResult(who, school, status, overall, literacy, prior, target, attained, leaves)


def _targets(prior: npt.NDArray[np.int16], anchors: Anchors) -> npt.NDArray[np.int16]:
    """Level to reach this year: a step above the prior level, up to the exit level; 0 without a prior level."""
    figures = anchors.access
    steps = np.zeros(figures.levels["maximum"] // 10 + 1, np.int16)
    for whole, step in figures.step.items():
        steps[whole:] = step
    exit_level = int(figures.exit["overall"])
    target = np.minimum(prior + steps[prior // 10], np.maximum(exit_level, prior)).astype(np.int16)
    return np.where(prior > 0, target, 0).astype(np.int16)


def table(life: Year, result: AccessResult, directory: Directory, anchors: Anchors) -> Table:
    """A row an English learner of kindergarten to grade 12."""
    n = len(result.student)
    tested, known = result.status == 0, result.prior > 0
    progress = flags(result.overall >= result.target)
    return {
        "school_year": constant(str(life.year), n),
        "sasid": student_ids(life.students.serial[result.student]),
        "school_code": school_column(result.school, directory),
        "grade": grade_column(life.students, result.student, anchors),
        "test_status": Coded(result.status, STATUSES),
        "overall_level": tenths(result.overall, ~tested),
        "literacy_level": tenths(result.literacy, ~tested),
        "prior_overall_level": tenths(result.prior, ~known),
        "progress_target": tenths(result.target, ~known),
        "made_progress": Coded(np.where(tested & known, progress.codes, -1).astype(np.int8), progress.values),
        "attained_proficiency": Coded(np.where(tested, result.attained, -1).astype(np.int8), ("0", "1")),
    }
