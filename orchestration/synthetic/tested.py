"""Who sits an MCAS test, and who does not although they should.

Belongs here: rows and test statuses of a year, before any score. Does not: scores (assessment.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from orchestration.synthetic.anchors import Anchors, draw, in_year
from orchestration.synthetic.movement import Year
from orchestration.synthetic.organisations import Directory
from orchestration.synthetic.rng import Stream, generator

TEST_STATUSES = ("T", "TR", "NTA", "NTM", "NTL", "NTO")
TESTED, TRANSFERRED, ABSENT, FIRST_YEAR = (TEST_STATUSES.index(s) for s in ("T", "TR", "NTA", "NTL"))
EMPTY = -1
"""The grade has no test in the subject."""


@dataclass
class Sitting:
    """The rows of a year's MCAS delivery: one a student who should be tested."""

    student: npt.NDArray[np.int32]
    school: npt.NDArray[np.int16]
    grade: npt.NDArray[np.int8]
    since_october: npt.NDArray[np.bool_]
    first_year: npt.NDArray[np.bool_]
    alternate: npt.NDArray[np.bool_]
    """Takes MCAS-Alt."""
    status: dict[str, npt.NDArray[np.int8]]
    """By subject: position in TEST_STATUSES, or EMPTY."""


def statuses(life: Year, directory: Directory, anchors: Anchors, seed: int) -> Sitting:
    """Students of grades 3-8 and 10 enrolled on the first test day, and the ninth graders who take science."""
    students, spells, figures = life.students, life.spells, anchors.assessment
    window = anchors.calendar.mcas
    rng = generator(seed, life.year, Stream.TEST_STATUS)
    rows = spells.on(window.first)
    who = spells.student[rows]
    grade = students.grade[who]
    tests = ((grade >= 3) & (grade <= 8)) | (grade == 10)
    science_9 = (grade == 9) & (rng.random(len(rows)) < figures.science_in_grade_9)
    keep = tests | science_9
    rows, who, grade = rows[keep], who[keep], grade[keep]
    order = np.argsort(spells.school[rows], kind="stable")
    rows, who, grade = rows[order], who[order], grade[order]
    n = len(rows)
    sitting = Sitting(
        student=who,
        school=spells.school[rows],
        grade=grade,
        since_october=spells.first[rows] == 1,
        first_year=students.first_year[who],
        # A fixed trait of the student, so that MCAS-Alt is taken year after year.
        alternate=students.disability[who] & (students.serial[who] % 1000 < 1000 * figures.alternate.share),
        status={},
    )
    base = _presence(life, sitting, directory, anchors, rng)
    leaving = (spells.last[rows] <= window.last) & ~spells.final[rows]
    language = rng.random(n)
    sits = {"ela": grade != 9, "math": grade != 9, "science": _science(life, sitting, anchors, rng)}
    for subject, has_test in sits.items():
        status = base.copy()
        status[(base == TESTED) & (rng.random(n) < figures.not_tested["one_subject"])] = ABSENT
        if subject != "ela":
            status[leaving] = TRANSFERRED
        share = figures.first_year_el["ela"] * (1.0 if subject == "ela" else figures.first_year_el["all"])
        status[sitting.first_year & (language < share)] = FIRST_YEAR
        status[~has_test] = EMPTY
        sitting.status[subject] = status
    _settle_small_groups(life, sitting, anchors)
    return sitting


def _presence(
    life: Year, sitting: Sitting, directory: Directory, anchors: Anchors, rng: np.random.Generator
) -> npt.NDArray[np.int8]:
    """Tested, or the reason why not. Schools differ, and a few have many absences in a year."""
    students, who, figures = life.students, sitting.student, anchors.assessment
    shares = figures.not_tested
    chance = shares["base"] + shares["low_income"] * students.low_income[who]
    chance = chance + shares["disability"] * students.disability[who] + shares["high"] * (sitting.grade >= 9)
    chance *= np.exp(directory.effects["participation"][sitting.school]) * in_year(figures.not_tested_factor, life.year)
    low = anchors.organisations.low_participation
    troubled = rng.random(len(directory.code)) < low["schools"]
    chance += low["untested"] * troubled[sitting.school]
    reasons = np.array([TEST_STATUSES.index(r) for r in figures.reasons], np.int8)
    reason = reasons[draw(rng, figures.reasons, len(who))]
    return np.where(rng.random(len(who)) < chance, reason, TESTED).astype(np.int8)


def _science(life: Year, sitting: Sitting, anchors: Anchors, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Grades 5 and 8, ninth graders who were chosen, tenth graders without a result and a few who try again."""
    figures = anchors.assessment
    best = life.students.best_science[sitting.student]
    again = (best < figures.levels["M"]) & (rng.random(len(best)) < figures.science_retake)
    tenth = (sitting.grade == 10) & ((best == 0) | again)
    takes: npt.NDArray[np.bool_] = np.isin(sitting.grade, (5, 8, 9)) | tenth
    return takes


def _settle_small_groups(life: Year, sitting: Sitting, anchors: Anchors) -> None:
    """Make sure that one school-level group has exactly the minimum n tested in ELA and mathematics, another one fewer.

    Counted are students of grades 3-8 in school since October, first-year English learners apart. Where chance has not
    provided such a group, the next larger one loses a few students to absence.
    """
    minimum = anchors.assessment.minimum_n
    students, who = life.students, sitting.student
    ela, math = sitting.status["ela"], sitting.status["math"]
    counted = (sitting.grade <= 8) & (ela == TESTED) & (math == TESTED) & sitting.since_october & ~sitting.first_year
    high_needs = students.low_income | students.english | students.disability
    groups = {"all": np.ones(len(who), np.bool_), "high_needs": high_needs[who], "low_income": students.low_income[who]}
    groups |= {"english": students.english[who], "disability": students.disability[who]}
    settled: set[int] = set()
    for wanted in (minimum - 1, minimum):
        options = []
        for name, member in groups.items():
            size = np.bincount(sitting.school[counted & member])
            options += [(int(size[s]), int(s), name) for s in np.flatnonzero(size >= wanted) if s not in settled]
        if not options:
            return
        size_now, school, name = min(options)
        settled.add(school)
        extra = np.flatnonzero(counted & groups[name] & (sitting.school == school))[: size_now - wanted]
        for status in sitting.status.values():
            status[extra] = np.where(status[extra] == EMPTY, EMPTY, ABSENT)
        counted[extra] = False
