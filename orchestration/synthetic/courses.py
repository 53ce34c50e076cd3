"""Course schedules of grades 9-12: five courses a student, some of them advanced.

Belongs here: timetables and marks. Does not: the list of courses (courses.yml).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from orchestration.synthetic.anchors import Anchors, Course, draw, in_year
from orchestration.synthetic.enrolment import school_column
from orchestration.synthetic.movement import DROPOUTS, Year
from orchestration.synthetic.organisations import Directory
from orchestration.synthetic.rng import Stream, generator
from orchestration.synthetic.writing import Coded, Table, constant, student_ids, tenths

SLOTS = ("english", "mathematics", "science", "history", "elective")
SECTIONS = tuple(f"{n:02d}" for n in range(1, 7))
LEVELS = ("C", "H", "A")
UNDER_WAY = "9999.00"
CREDITS = ("0.00", "1.00", UNDER_WAY)
MARK_WORDS = ("W", "I")


@dataclass(frozen=True)
class Catalogue:
    """Which courses fill which slot in which grade; positions are those of the course list."""

    core: npt.NDArray[np.int16]
    """(slots, grade 9-12)"""
    advanced: npt.NDArray[np.int16]
    """(slots, grade 9-12, options), filled up by repetition; -1 where there is none."""


def catalogue(courses: tuple[Course, ...]) -> Catalogue:
    """Sort the course list by slot and grade."""
    core = np.full((len(SLOTS), 4), -1, np.int16)
    options: dict[tuple[int, int], list[int]] = {}
    for position, course in enumerate(courses):
        for grade in course.grades:
            cell = SLOTS.index(course.slot), grade - 9
            if course.advanced:
                options.setdefault(cell, []).append(position)
            else:
                core[cell] = position
    width = max(map(len, options.values()))
    advanced = np.full((len(SLOTS), 4, width), -1, np.int16)
    for cell, positions in options.items():
        advanced[cell] = np.resize(positions, width)
    return Catalogue(core, advanced)


def table(life: Year, directory: Directory, courses: tuple[Course, ...], anchors: Anchors, seed: int) -> Table:
    """A row a course of every student of grades 9-12, at the last school of the year."""
    students, spells, figures = life.students, life.spells, anchors.secondary
    rng = generator(seed, life.year, Stream.COURSES)
    grade = students.grade[spells.student]
    rows = np.flatnonzero(spells.final & (grade >= 9) & (grade <= 12))
    rows = rows[np.argsort(spells.school[rows], kind="stable")]
    who = spells.student[rows]
    n = len(rows)

    taken = _timetables(life, who, directory, catalogue(courses), anchors, rng)
    is_advanced = np.array([course.advanced for course in courses])[taken]
    outcome = draw(rng, figures.course_outcome, taken.size).astype(np.int8).reshape(taken.shape)
    words = tuple(figures.course_outcome)
    outcome[np.isin(life.status[who], DROPOUTS)] = words.index("WTH")

    ability = ((students.ability_ela + students.ability_math) / 2)[who] / anchors.assessment.spread["ability"]
    marks = figures.marks
    mark = (
        marks["mean"]
        + marks["ability"] * ability[:, None]
        + marks["spread"] * rng.standard_normal(taken.shape, np.float32)
    )
    mark = np.clip(np.rint(10 * mark), 0, 1000).astype(np.int16)
    completed, under_way = outcome == words.index("COM"), outcome == words.index("ENR")
    credit = np.where(completed & (mark >= 10 * marks["pass"]), 1, 0).astype(np.int8)
    credit[under_way] = CREDITS.index(UNDER_WAY)
    letters = tuple(figures.letters)
    bounds = 10 * np.array(list(figures.letters.values()))
    letter = (np.searchsorted(bounds, mark, side="right") - 1).astype(np.int8)
    letter[outcome == words.index("WTH")] = len(letters)
    letter[outcome == words.index("INC")] = len(letters) + 1
    letter[under_way] = -1
    level = np.where(is_advanced, 2, (ability > marks["honours"])[:, None]).astype(np.int8)

    size = n * len(SLOTS)
    student = np.repeat(who, len(SLOTS))
    return {
        "school_year": constant(str(life.year), size),
        "sasid": student_ids(students.serial[student]),
        "school_code": school_column(np.repeat(spells.school[rows], len(SLOTS)), directory),
        "local_course_code": Coded(taken.ravel(), tuple(f"L{course.code}" for course in courses)),
        "subject_course_code": Coded(taken.ravel(), tuple(course.code for course in courses)),
        "class_section": Coded((students.serial[student] % len(SECTIONS)).astype(np.int8), SECTIONS),
        "course_term": constant("01", size),
        "enrollment_status": Coded(outcome.ravel(), words),
        "course_level": Coded(level.ravel(), LEVELS),
        "credit_available": constant("1.00", size),
        "credit_earned": Coded(credit.ravel(), CREDITS),
        "letter_mark": Coded(letter.ravel(), (*letters, *MARK_WORDS)),
        "numeric_mark": tenths(mark.ravel(), ~completed.ravel()),
        "pathways_course": constant("00", size),
    }


def _timetables(
    life: Year,
    who: npt.NDArray[np.int32],
    directory: Directory,
    offered: Catalogue,
    anchors: Anchors,
    rng: np.random.Generator,
) -> npt.NDArray[np.int16]:
    """(students, slots) of positions in the course list: core courses, one or two of them replaced by advanced ones."""
    students, figures = life.students, anchors.secondary.advanced
    n = len(who)
    year = students.grade[who] - 9
    taken = offered.core[:, year].T.copy()
    effects = figures.effects
    spread = anchors.assessment.spread["ability"]
    wish = effects["ability"] * (students.ability_ela + students.ability_math)[who] / (2 * spread)
    wish = wish + effects["chance"] * rng.standard_normal(n) + directory.effects["advanced"][students.school[who]]
    for group, member in (
        ("low_income", students.low_income),
        ("english", students.english_learner),
        ("disability", students.disability),
    ):
        wish += effects[group] * member[who]

    complete = anchors.secondary.course_outcome["COM"] / sum(anchors.secondary.course_outcome.values())
    succeed = complete + figures.second * complete * (1 - complete)
    takes = np.zeros(n, np.bool_)
    for own, share in (
        (year >= 2, in_year(figures.share, life.year) / 100 / succeed),
        (year < 2, figures.lower_grades),
    ):
        if own.any():
            takes[own] = wish[own] > np.quantile(wish[own], 1 - share)
    # A random order of the slots that have something advanced in the grade; the first one or two are replaced.
    possible = offered.advanced[:, year, 0].T >= 0
    order = np.argsort(np.where(possible, rng.random((n, len(SLOTS))), 2), axis=1)
    option = rng.integers(0, offered.advanced.shape[2], (n, 2))
    second = takes & (rng.random(n) < figures.second)
    for turn, chosen in enumerate((takes, second)):
        row = np.flatnonzero(chosen & (possible.sum(axis=1) > turn))
        slot = order[row, turn]
        taken[row, slot] = offered.advanced[slot, year[row], option[row, turn]]
    return taken
