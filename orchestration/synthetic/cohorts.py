"""Graduation cohorts and dropouts.

Belongs here: remembering who belonged to a cohort and how it ended. Does not: deciding how a year ends (movement.py).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from orchestration.synthetic import groups
from orchestration.synthetic.anchors import Anchors
from orchestration.synthetic.enrolment import grade_column, school_column
from orchestration.synthetic.layout import LAST_GRADE
from orchestration.synthetic.movement import (
    COMPLETERS,
    DROPOUTS,
    ENROLLED,
    EXCLUDED,
    GRADUATED,
    STATUSES,
    Year,
)
from orchestration.synthetic.organisations import Directory
from orchestration.synthetic.rng import Stream, generator
from orchestration.synthetic.writing import Coded, Table, constant, flags, student_ids

OUTCOMES = ("graduated", "still_enrolled", "completer", "equivalency", "dropout", "excluded")
STILL_ENROLLED, EQUIVALENCY, DROPOUT = (OUTCOMES.index(o) for o in ("still_enrolled", "equivalency", "dropout"))
GONE = -1
"""No longer of the cohort: moved out of the state's public schools."""


@dataclass
class Members:
    """Students of one cohort with their outcome so far."""

    serial: npt.NDArray[np.int32]
    school: npt.NDArray[np.int16]
    outcome: npt.NDArray[np.int8]
    race_code: npt.NDArray[np.int8]
    low_income: npt.NDArray[np.bool_]
    english: npt.NDArray[np.bool_]
    disability: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.serial)

    def take(self, which: npt.NDArray[Any]) -> Members:
        return Members(**{f.name: getattr(self, f.name)[which] for f in fields(self)})

    def joined(self, other: Members) -> Members:
        return Members(
            **{f.name: np.concatenate([getattr(self, f.name), getattr(other, f.name)]) for f in fields(self)}
        )


class Cohorts:
    """Memory of the cohorts that are not closed yet."""

    def __init__(self, anchors: Anchors, seed: int) -> None:
        self._anchors = anchors
        self._seed = seed
        self._left: dict[int, Members] = {}
        self._previous: Members | None = None
        self.four_years: Members | None = None
        self.five_years: Members | None = None

    def close(self, life: Year) -> None:
        """Take the outcomes of a year: the four-year list of its cohort, the five-year list of the one before."""
        students = life.students
        outcome = self._outcomes(life)
        now = Members(
            serial=students.serial,
            school=students.school,
            outcome=outcome,
            race_code=students.race_code,
            low_income=students.ever_low_income,
            english=students.ever_english,
            disability=students.ever_disability,
        )
        self._previous = self.four_years
        four = now.take((students.cohort == life.year) & (outcome != GONE))
        if life.year in self._left:
            four = four.joined(self._left.pop(life.year))
        self.four_years = four
        self.five_years = None if self._previous is None else _later(self._previous, now)
        lost = np.isin(outcome, (DROPOUT, EQUIVALENCY, OUTCOMES.index("excluded")))
        for cohort in range(life.year + 1, life.year + 4):
            leavers = now.take(lost & (students.cohort == cohort))
            self._left[cohort] = self._left[cohort].joined(leavers) if cohort in self._left else leavers

    def _outcomes(self, life: Year) -> npt.NDArray[np.int8]:
        """Outcome of every student of the year by the status at its end."""
        by_status = np.full(len(STATUSES), GONE, np.int8)
        by_status[ENROLLED] = STILL_ENROLLED
        by_status[GRADUATED] = OUTCOMES.index("graduated")
        by_status[list(COMPLETERS)] = OUTCOMES.index("completer")
        by_status[list(DROPOUTS)] = DROPOUT
        by_status[EXCLUDED] = OUTCOMES.index("excluded")
        outcome = by_status[life.status]
        rng = generator(self._seed, life.year, Stream.LEAVING)
        chance = rng.random(len(outcome)) < self._anchors.secondary.equivalency
        outcome[(outcome == DROPOUT) & chance] = EQUIVALENCY
        return outcome


def _later(before: Members, now: Members) -> Members:
    """A four-year list a year on: those who were still enrolled have a new outcome, or have left the cohort."""
    after = before.take(np.arange(len(before)))
    order = np.argsort(now.serial, kind="stable")
    waiting = np.flatnonzero(after.outcome == STILL_ENROLLED)
    place = np.searchsorted(now.serial[order], after.serial[waiting])
    found = order[np.minimum(place, len(order) - 1)]
    known = now.serial[found] == after.serial[waiting]
    after.outcome[waiting] = np.where(known, now.outcome[found], GONE)
    seen, position = waiting[known], found[known]
    after.school[seen] = now.school[position]
    for name in ("low_income", "english", "disability"):
        getattr(after, name)[seen] |= getattr(now, name)[position]
    return after.take(after.outcome != GONE)


def cohort_table(cohorts: Cohorts, year: int, directory: Directory, anchors: Anchors) -> Table:
    """The four-year outcome of the year's cohort and the five-year outcome of the one before."""
    parts = [("4", year, cohorts.four_years), ("5", year - 1, cohorts.five_years)]
    present = [(span, cohort, members) for span, cohort, members in parts if members is not None]
    members = present[0][2]
    for _, _, more in present[1:]:
        members = members.joined(more)
    which = np.repeat(np.arange(len(present), dtype=np.int8), [len(m) for _, _, m in present])
    order = np.lexsort((members.school, which))
    members, which = members.take(order), which[order]
    return {
        "school_year": constant(str(year), len(members)),
        "cohort_span": Coded(which, tuple(span for span, _, _ in present)),
        "cohort_year": Coded(which, tuple(str(cohort) for _, cohort, _ in present)),
        "sasid": student_ids(members.serial),
        "school_code": school_column(members.school, directory),
        "outcome": Coded(members.outcome, OUTCOMES),
        "race_ethnicity": Coded(members.race_code, groups.race_codes(anchors.groups)),
        "low_income": flags(members.low_income),
        "english_learner": flags(members.english),
        "disability": flags(members.disability),
    }


def dropout_table(life: Year, directory: Directory, anchors: Anchors) -> Table:
    """A row a student of grades 9-12 who dropped out during the year."""
    students = life.students
    who = np.flatnonzero(life.among(DROPOUTS) & (students.grade >= 9) & (students.grade <= LAST_GRADE))
    who = who[np.argsort(students.school[who], kind="stable")]
    return {
        "school_year": constant(str(life.year), len(who)),
        "sasid": student_ids(students.serial[who]),
        "school_code": school_column(students.school[who], directory),
        "grade": grade_column(students, who, anchors),
        "reason": Coded(life.status[who], STATUSES),
    }
