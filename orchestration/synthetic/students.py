"""Who attends school: the first year's students, those who arrive, and the step from one year to the next.

Belongs here: admission, promotion, summer moves. Does not: what happens during a year (movement.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from orchestration.synthetic import groups
from orchestration.synthetic.anchors import Anchors, draw
from orchestration.synthetic.choice import Choice
from orchestration.synthetic.layout import BEYOND, LAST_GRADE, PRE_K, DistrictPlan
from orchestration.synthetic.organisations import Directory
from orchestration.synthetic.population import Bools, Bytes, Population, Shorts
from orchestration.synthetic.rng import Stream, generator


@dataclass(frozen=True)
class YearEnd:
    """What the end of a year means for each student."""

    gone: Bools
    """Graduated, dropped out, moved away or too old."""
    beyond: Bools
    """Goes on in a programme beyond grade 12."""
    reclassified: Bools
    """Stops being an English learner."""


class Admissions:
    """Makes students. Keeps the last serial number and the state's map of groups."""

    def __init__(self, students: int, directory: Directory, anchors: Anchors, seed: int) -> None:
        self.size = students
        self.directory = directory
        self.anchors = anchors
        self.seed = seed
        self._serial = 0
        self._races = groups.race_shares(directory, anchors, generator(seed, 0, Stream.TOWNS))
        self._poor_from: float | None = None

    def start(self, year: int, choice: Choice) -> Population:
        """The state's students in the first year that is simulated."""
        rng = generator(self.seed, year, Stream.START)
        grade = np.repeat(np.array(list(self.wanted()), np.int8), list(self.wanted().values()))
        share = np.array([self.anchors.groups.english_learner.initial[int(g)] for g in grade])
        students = self.admit(rng, grade, year, choice, share)
        spent = (rng.random(len(grade)) * (grade + 2)).astype(np.int8)
        students.english_years = np.where(students.english_learner, 1 + spent, 0).astype(np.int8)
        return students

    def wanted(self) -> dict[int, int]:
        """Students a grade of a state of this size; they add up to it exactly."""
        shares = self.anchors.population.grades
        edges = np.round(np.cumsum([0.0, *shares.values()]) / sum(shares.values()) * self.size).astype(int)
        return {grade: int(n) for grade, n in zip(shares, np.diff(edges), strict=True)}

    def admit(
        self,
        rng: np.random.Generator,
        grade: Bytes,
        year: int,
        choice: Choice,
        english_share: npt.NDArray[np.float64] | float,
    ) -> Population:
        """New students of the given grades, with everything that stays with them, enrolled in a school."""
        n, figures = len(grade), self.anchors.groups
        town = draw(rng, {t: d.share for t, d in enumerate(self._towns)}, n).astype(np.int16)
        place = rng.random(n, np.float32)
        race = groups.draw_race(rng, self._races, town, place)
        english = groups.draw_english(rng, race, english_share, figures)
        economy = groups.draw_economy(rng, race, town, place, self.directory, figures)
        economy += np.float32(figures.low_income.english_learner) * english
        if self._poor_from is None:
            self._poor_from = float(np.quantile(economy, 1 - figures.disability.poorest))
        kind, begins, ends = groups.draw_disability(rng, economy > self._poor_from, figures)
        spread = self.anchors.assessment.spread
        common = rng.standard_normal((3, n), np.float32)
        shared, own = np.sqrt(1 - spread["subject_share"]), np.sqrt(spread["subject_share"])
        ability = (spread["ability"] * (shared * common[0] + own * common[1:])).astype(np.float32)
        lasting = rng.standard_normal((2, n), np.float32)
        serial = np.arange(self._serial, self._serial + n, dtype=np.int32)
        self._serial += n
        return Population(
            serial=serial,
            town=town,
            place=place,
            school=choice.draw(rng, town, grade, place, entering=False),
            grade=grade,
            race=race,
            race_code=groups.draw_race_code(rng, race, figures),
            economy=economy,
            low_income=economy > self._poor_from,
            english_learner=english,
            english_years=english.astype(np.int8),
            former_years=np.zeros(n, np.int8),
            english_level=np.zeros(n, np.int8),
            disability_kind=kind,
            disability_from=begins,
            disability_until=ends,
            ability_ela=ability[0],
            ability_math=ability[1],
            prior_ela=np.full(n, np.nan, np.float32),
            prior_math=np.full(n, np.nan, np.float32),
            best_science=np.zeros(n, np.int16),
            absence=lasting[0],
            # Those who are often absent are also more likely to leave.
            risk=((lasting[0] + lasting[1]) / np.sqrt(2)).astype(np.float32),
            cohort=np.where(grade >= 9, year + LAST_GRADE - grade.astype(np.int16), 0).astype(np.int16),
            ever_low_income=np.zeros(n, np.bool_),
            ever_english=np.zeros(n, np.bool_),
            ever_disability=np.zeros(n, np.bool_),
        )

    def random_town(self, rng: np.random.Generator, n: int) -> Shorts:
        """Towns drawn by size."""
        return draw(rng, {t: d.share for t, d in enumerate(self._towns)}, n).astype(np.int16)

    @property
    def _towns(self) -> list[DistrictPlan]:
        return self.directory.districts[: self.directory.towns]


def october(students: Population, year: int, seed: int, anchors: Anchors) -> None:
    """Settle what holds from October 1: low income, cohort of new ninth graders, groups belonged to in high school."""
    students.low_income = groups.low_income(generator(seed, year, Stream.INCOME), students, year, anchors.groups)
    high = students.grade >= 9
    students.cohort[high & (students.cohort == 0)] = year + 3
    students.ever_low_income |= high & students.low_income
    students.ever_english |= high & students.english
    students.ever_disability |= high & students.disability


def advance(students: Population, end: YearEnd, year: int, choice: Choice, admissions: Admissions) -> Population:
    """The students of `year`, from those of the year before and how it ended for them."""
    anchors = admissions.anchors
    rng = generator(admissions.seed, year, Stream.PROMOTION)
    moves = anchors.population.moves
    stay = ~end.gone & (rng.random(len(students)) >= moves.summer_exit)
    beyond, reclassified = end.beyond[stay], end.reclassified[stay]
    students = students.take(stay)
    _promote(students, beyond, rng, anchors)
    _next_english_year(students, reclassified, anchors)
    _summer_moves(students, rng, year, choice, admissions)
    return _summer_arrivals(students, year, choice, admissions)


def _promote(students: Population, beyond: Bools, rng: np.random.Generator, anchors: Anchors) -> None:
    """A grade up, but for the retained; those who end grade 12 without leaving repeat it or go beyond it."""
    retained = np.zeros(BEYOND - PRE_K + 1)
    for grade, share in anchors.population.retained.items():
        retained[grade - PRE_K] = share
    up = (rng.random(len(students)) >= retained[students.grade - PRE_K]) & (students.grade < LAST_GRADE)
    students.grade += up.astype(np.int8)
    students.grade[beyond] = BEYOND


def _next_english_year(students: Population, reclassified: Bools, anchors: Anchors) -> None:
    years = students.former_years + (students.former_years > 0)
    years[years > anchors.groups.english_learner.former_years] = 0
    years[reclassified] = 1
    students.former_years = years.astype(np.int8)
    students.english_learner &= ~reclassified
    students.english_years += students.english_learner.astype(np.int8)


def _summer_moves(
    students: Population, rng: np.random.Generator, year: int, choice: Choice, admissions: Admissions
) -> None:
    """New schools for those whose school closed or ends before their grade, for movers, for a newly opened school."""
    directory, moves = admissions.directory, admissions.anchors.population.moves
    served = np.append(directory.high, 0)
    served[:-1][directory.high == LAST_GRADE] = BEYOND
    running = directory.open_in(year)
    must = (students.grade > served[students.school]) | ~running[students.school]
    chance = moves.between_years * np.where(students.low_income, moves.low_income_factor, 1.0)
    wants = ~must & (rng.random(len(students)) < chance)
    away = wants & (rng.random(len(students)) >= moves.same_town)
    students.town[away] = admissions.random_town(rng, int(away.sum()))
    for who, entering in ((must, True), (wants, False)):
        students.school[who] = choice.draw(
            rng, students.town[who], students.grade[who], students.place[who], entering=entering
        )
    for school, plan in enumerate(directory.schools):
        if plan.opened != year:
            continue
        near = (students.town == plan.district) & (students.grade >= plan.low) & (students.grade <= plan.high)
        near &= directory.district[students.school] == plan.district
        drawn = choice.draw(rng, students.town[near], students.grade[near], students.place[near], entering=True)
        students.school[near] = np.where(drawn == school, school, students.school[near])


def _summer_arrivals(students: Population, year: int, choice: Choice, admissions: Admissions) -> Population:
    """Fill every grade up to its usual size: kindergarten and pre-kindergarten mostly, a few newcomers elsewhere."""
    rng = generator(admissions.seed, year, Stream.ARRIVALS_SUMMER)
    have = np.bincount(students.grade - PRE_K, minlength=BEYOND - PRE_K + 1)
    spread = admissions.anchors.population.grade_spread
    lacking = {
        grade: max(0, round(n * (1 + rng.normal(0, spread))) - int(have[grade - PRE_K]))
        for grade, n in admissions.wanted().items()
        if grade <= LAST_GRADE
    }
    grade = np.repeat(np.array(list(lacking), np.int8), list(lacking.values()))
    figures = admissions.anchors
    share = np.where(grade <= 0, figures.groups.english_learner.kindergarten, figures.population.newcomer_first_year_el)
    return students.joined(admissions.admit(rng, grade, year, choice, share))
