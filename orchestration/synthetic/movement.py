"""What happens to enrolment during a year: moves, exits, dropouts, arrivals, and how the year ends for grade 12.

Belongs here: spells of enrolment with their days and status. Does not: attendance (enrolment.py) or results.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from orchestration.synthetic.anchors import LARGEST_CHANCE, Anchors, Secondary, draw, in_year
from orchestration.synthetic.choice import Choice
from orchestration.synthetic.layout import BEYOND, LAST_GRADE, PRE_K
from orchestration.synthetic.population import Bools, Floats, Population, Shorts
from orchestration.synthetic.rng import Stream, generator
from orchestration.synthetic.students import Admissions

STATUSES = (
    "01", "04", "05", "06", "09", "10", "11", "20", "21", "22", "23", "30", "31", "32", "33", "34", "35", "36",
)  # fmt: skip
ENROLLED, GRADUATED, EXCLUDED, TOO_OLD, TRANSFERRED = (STATUSES.index(s) for s in ("01", "04", "05", "09", "20"))
COMPLETERS = tuple(STATUSES.index(s) for s in ("09", "10", "11"))
DROPOUTS = tuple(i for i, s in enumerate(STATUSES) if s.startswith("3"))


@dataclass(frozen=True)
class Spells:
    """Stretches of enrolment in one school: days of the school year from `first` to `last`, both included."""

    student: npt.NDArray[np.int32]
    school: Shorts
    first: Shorts
    last: Shorts
    status: npt.NDArray[np.int8]
    """Position in STATUSES at the end of the year."""
    final: Bools
    """The student's last spell of the year."""

    def on(self, day: int) -> npt.NDArray[np.intp]:
        """Positions of the spells that cover a day; a student has at most one."""
        return np.flatnonzero((self.first <= day) & (self.last >= day))


@dataclass(frozen=True)
class Year:
    """A simulated year's students (those who arrive during it come last), their spells and the status they end with."""

    year: int
    students: Population
    spells: Spells
    status: npt.NDArray[np.int8]
    days: int

    def among(self, statuses: tuple[int, ...]) -> Bools:
        """Students who ended the year with one of the statuses."""
        return np.isin(self.status, statuses)


def live_through(students: Population, year: int, choice: Choice, admissions: Admissions) -> Year:
    """Draw everything that changes enrolment between October 1 and the last day."""
    anchors, seed = admissions.anchors, admissions.seed
    days, gaps = in_year(anchors.calendar.days, year), anchors.calendar.moves
    directory = admissions.directory
    rng = generator(seed, year, Stream.SCHOOL_YEAR)
    length = (days - rng.choice(anchors.calendar.short_years, len(directory.schools))).astype(np.int16)

    leaves = _leavers(students, year, directory.effects["leaving"], anchors, generator(seed, year, Stream.LEAVING))
    rng = generator(seed, year, Stream.MOVES)
    moves_to = _moves(students, leaves, choice, admissions, rng)
    day = rng.integers(2, days - gaps["before_end"], len(students)).astype(np.int16)

    present = len(students)
    arriving, arrival_day = _arrivals(present, year, days, choice, admissions)
    everyone = students.joined(arriving)
    total = len(everyone)
    status = np.zeros(total, np.int8)
    status[:present] = leaves
    mover = np.flatnonzero(moves_to >= 0)

    last = length[everyone.school].copy()
    stops = np.flatnonzero((leaves != ENROLLED) | (moves_to >= 0))
    last[stops] = day[stops]
    second_first = day[mover] + 1 + rng.integers(0, gaps["gap"] + 1, len(mover)).astype(np.int16)
    status[status == ENROLLED] = _completion(
        everyone, year, directory.effects["leaving"], anchors, generator(seed, year, Stream.COMPLETION)
    )[status == ENROLLED]
    first_status = status.copy()
    first_status[mover] = TRANSFERRED
    spells = Spells(
        student=np.concatenate([np.arange(total), mover]).astype(np.int32),
        school=np.concatenate([everyone.school, moves_to[mover]]),
        first=np.concatenate([np.ones(present, np.int16), arrival_day, second_first]),
        last=np.concatenate([last, length[moves_to[mover]]]),
        status=np.concatenate([first_status, status[mover]]),
        final=np.concatenate([np.isin(np.arange(total), mover, invert=True), np.ones(len(mover), np.bool_)]),
    )
    everyone.school[mover] = moves_to[mover]
    return Year(year, everyone, spells, status, days)


def behind(students: Population, year: int) -> Bools:
    """High school students who can no longer finish in four years."""
    return (students.grade >= 9) & (students.cohort < year + LAST_GRADE - students.grade.astype(np.int16))


def leaving_risk(students: Population, year: int, school_effect: npt.NDArray[Any], figures: Secondary) -> Floats:
    """How many times as likely as others a student is to leave without a diploma; only ratios matter."""
    effects = figures.dropout_log
    log = school_effect[students.school] + effects["persistent"] * students.risk
    log += effects["low_income"] * students.low_income + effects["english"] * students.english_learner
    log += effects["disability"] * students.disability + effects["behind"] * behind(students, year)
    risk: Floats = np.exp(log).astype(np.float32)
    return risk


def _leavers(
    students: Population, year: int, effect: npt.NDArray[Any], anchors: Anchors, rng: np.random.Generator
) -> npt.NDArray[np.int8]:
    """Status of those who leave the state's schools between October and June; the others stay enrolled."""
    figures = anchors.secondary
    n = len(students)
    high = (students.grade >= 9) & (students.grade <= LAST_GRADE)
    risk = np.where(high, leaving_risk(students, year, effect, figures), 0)
    chance = in_year(figures.dropout, year) / 100 * risk * high.sum() / max(risk.sum(), 1e-9)
    status = np.full(n, ENROLLED, np.int8)
    exits = anchors.population.moves
    away = rng.random(n) < exits.out_of_state
    codes = [STATUSES.index(s) for s in exits.exit_status]
    status[away] = np.array(codes, np.int8)[draw(rng, exits.exit_status, int(away.sum()))]
    status[high & (rng.random(n) < figures.excluded)] = EXCLUDED
    dropping = rng.random(n) < np.minimum(chance, LARGEST_CHANCE)
    if not dropping.any() and high.any():  # a delivery needs a row, in the smallest state too
        dropping[np.argmax(chance)] = True
    codes = [STATUSES.index(s) for s in figures.dropout_reasons]
    status[dropping] = np.array(codes, np.int8)[draw(rng, figures.dropout_reasons, int(dropping.sum()))]
    return status


def _moves(
    students: Population,
    leaves: npt.NDArray[np.int8],
    choice: Choice,
    admissions: Admissions,
    rng: np.random.Generator,
) -> Shorts:
    """School that a student changes to during the year, -1 for those who stay; movers get their new town."""
    moves = admissions.anchors.population.moves
    chance = moves.mid_year * np.where(students.low_income, moves.low_income_factor, 1.0)
    wants = np.flatnonzero((leaves == ENROLLED) & (rng.random(len(students)) < chance))
    town = students.town[wants].copy()
    away = rng.random(len(wants)) >= moves.same_town
    town[away] = admissions.random_town(rng, int(away.sum()))
    # Not by neighbourhood: whoever moves has left it.
    place = rng.random(len(wants), np.float32)
    school = choice.draw(rng, town, students.grade[wants], place, entering=False)
    real = school != students.school[wants]
    out = np.full(len(students), -1, np.int16)
    out[wants[real]] = school[real]
    students.town[wants[real]] = town[real]
    students.place[wants[real]] = place[real]
    return out


def _arrivals(present: int, year: int, days: int, choice: Choice, admissions: Admissions) -> tuple[Population, Shorts]:
    """Students who come from outside between October and June, with their first day."""
    rng = generator(admissions.seed, year, Stream.ARRIVALS_MID_YEAR)
    figures = admissions.anchors.population
    n = round(figures.moves.arrivals * present)
    grades = {g: share for g, share in figures.grades.items() if PRE_K < g < LAST_GRADE}
    grade = np.fromiter(grades, np.int8)[draw(rng, grades, n)]
    share = np.where(grade == 0, admissions.anchors.groups.english_learner.kindergarten, figures.newcomer_first_year_el)
    arriving = admissions.admit(rng, grade, year, choice, share)
    gaps = admissions.anchors.calendar.moves
    day = rng.integers(gaps["first_arrival"], days - gaps["arrivals_before_end"], n)
    return arriving, day.astype(np.int16)


def _completion(
    students: Population, year: int, effect: npt.NDArray[Any], anchors: Anchors, rng: np.random.Generator
) -> npt.NDArray[np.int8]:
    """Status with which students of grade 12 and beyond end the year, if they are there to the end."""
    figures = anchors.secondary
    n = len(students)
    late = behind(students, year)
    fails = np.where(late, figures.not_finishing.behind, figures.not_finishing.on_time)
    last = students.grade == LAST_GRADE
    weight = leaving_risk(students, year, effect, figures) ** figures.not_finishing.risk_power
    for own in (last & late, last & ~late):
        fails[own] = np.minimum(
            fails[own] * weight[own] / max(float(weight[own].mean()) if own.any() else 1.0, 1e-9), 0.9
        )
    finishing = rng.random(n) >= fails
    codes = np.array([STATUSES.index(s) for s in figures.not_finishing.outcome], np.int8)
    other = codes[draw(rng, figures.not_finishing.outcome, n)]
    certificate = STATUSES.index("10")
    other[(other == certificate) & ~students.disability] = STATUSES.index("11")
    too_late = students.cohort <= year - figures.last_extra_year
    other[(other == ENROLLED) & too_late] = STATUSES.index("11")
    status = np.full(n, ENROLLED, np.int8)
    status[last] = np.where(finishing, GRADUATED, other)[last]
    beyond = (students.grade == BEYOND) & (rng.random(n) < figures.leave_beyond)
    status[beyond] = TOO_OLD
    return status
