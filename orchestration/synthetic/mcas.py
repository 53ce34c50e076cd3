"""The MCAS delivery: results as the columns of the contract.

Belongs here: which code, scale and column a result is written with in a year. Does not: the results (assessment.py).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from orchestration.synthetic import scores
from orchestration.synthetic.anchors import Anchors, draw
from orchestration.synthetic.assessment import HIGH, SUBJECTS, Result, Tests, legacy_rows
from orchestration.synthetic.enrolment import grade_column, school_column
from orchestration.synthetic.movement import Year
from orchestration.synthetic.organisations import Directory
from orchestration.synthetic.rng import Stream, generator
from orchestration.synthetic.tested import EMPTY, TEST_STATUSES, TESTED
from orchestration.synthetic.writing import Coded, Column, Numbers, Table, constant, student_ids

ASSESSMENTS = ("NG", "LG", "AL")
ATTEMPTS = ("F", "P", "N")


def table(life: Year, tests: Tests, directory: Directory, anchors: Anchors, seed: int) -> Table:
    """A row a student who should have been tested."""
    sitting = tests.sitting
    n = len(sitting.student)
    district = directory.district[sitting.school]
    columns: Table = {
        "school_year": constant(str(life.year), n),
        "sasid": student_ids(life.students.serial[sitting.student]),
        "district_code": Coded(district, tuple(directory.district_code)),
        "school_code": school_column(sitting.school, directory),
        "grade": grade_column(life.students, sitting.student, anchors),
    }
    rng = generator(seed, life.year, Stream.SCIENCE)
    for subject in SUBJECTS:
        result = tests.results[subject]
        columns |= _subject(subject, result, sitting.grade, life.year, anchors, rng)
    science = tests.results["science"].status
    columns["science_subject"] = _science_subject(science, sitting.grade, tests, anchors)
    columns |= _best_science(tests, life.year, anchors)
    return columns


def _best_science(tests: Tests, year: int, anchors: Anchors) -> Table:
    """Best high school result of tenth graders, on the scale of the year's test; the other scale's column is empty."""
    best = np.where(tests.sitting.grade == HIGH + 1, tests.best_science, 0)
    legacy = legacy_rows(tests.sitting.grade, "science", year, anchors)
    old = scores.to_legacy(best, anchors.assessment.link["science_high"])
    return {
        "science_highest_legacy_score": Numbers(old, (best == 0) | ~legacy),
        "science_highest_scaled_score": Numbers(best, (best == 0) | legacy),
    }


def _subject(
    subject: str,
    result: Result,
    grade: npt.NDArray[np.int8],
    year: int,
    anchors: Anchors,
    rng: np.random.Generator,
) -> dict[str, Column]:
    """The columns of one subject."""
    figures = anchors.assessment
    n = len(grade)
    legacy = legacy_rows(grade, subject, year, anchors) & ~result.alternate
    scored = result.scored
    old = np.where(
        grade >= HIGH,
        scores.to_legacy(result.score, figures.link[f"{subject}_high"]),
        scores.to_legacy(result.score, figures.link[f"{subject}_non_high"]),
    ).astype(np.int16)
    linked = scored & ~legacy & _linked(subject, grade, year, anchors)
    level = np.where(scored & ~legacy, scores.level_of(result.score, figures.levels), -1)
    other_values = (*figures.legacy_levels, *figures.alternate.levels)
    other = np.where(scored & legacy, scores.level_of(old, figures.legacy_levels), -1)
    other = np.where(result.alternate, len(figures.legacy_levels) + result.alternate_level, other)
    kind = np.where(result.alternate, 2, legacy.astype(np.int8)).astype(np.int8)
    kind[result.status == EMPTY] = -1
    columns: dict[str, Column] = {
        "test_status": Coded(result.status, TEST_STATUSES),
        "attempt": Coded(_attempts(result, n, anchors, rng), ATTEMPTS),
        "assessment": Coded(kind, ASSESSMENTS),
        "scaled_score": Numbers(np.where(legacy, old, result.score), ~(scored | result.alternate)),
        "legacy_equivalent": Numbers(old, ~linked),
        "performance_level": Coded(level.astype(np.int8), tuple(figures.levels)),
        "performance_other": Coded(other.astype(np.int8), other_values),
    }
    if subject != "science":
        columns["growth_percentile"] = Numbers(result.growth, (result.growth == 0) | ~scored)
    return {f"{subject}_{name}": column for name, column in columns.items()}


def _linked(subject: str, grade: npt.NDArray[np.int8], year: int, anchors: Anchors) -> npt.NDArray[np.bool_]:
    """Rows that carry a legacy equivalent: in the linking year, grades whose indicator was still a CPI."""
    if year not in anchors.assessment.legacy_equivalent:
        return np.zeros(len(grade), np.bool_)
    return grade >= HIGH if subject != "science" else np.ones(len(grade), np.bool_)


def _attempts(result: Result, n: int, anchors: Anchors, rng: np.random.Generator) -> npt.NDArray[np.int8]:
    figures = anchors.assessment
    full = 1 - figures.partial_attempt
    tested = draw(rng, {"F": full, "P": figures.partial_attempt}, n)
    attempt = np.where(result.status == TESTED, tested, ATTEMPTS.index("N"))
    attempt[result.status == EMPTY] = -1
    return attempt.astype(np.int8)


def _science_subject(
    status: npt.NDArray[np.int8], grade: npt.NDArray[np.int8], tests: Tests, anchors: Anchors
) -> Column:
    """Grades 5 and 8 take science and technology, high schools one of the subjects."""
    values = ("STE", *anchors.assessment.science_subjects)
    subject = np.where(grade < HIGH, 0, 1 + tests.science_subject)
    subject[status == EMPTY] = -1
    return Coded(subject.astype(np.int8), values)
