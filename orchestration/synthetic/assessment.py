"""MCAS: who is tested in what, the results, and the delivery.

Belongs here: test rows of one year and what they leave with the students (prior scores, best science). Does not: the
arithmetic of scores (scores.py) or who is enrolled (movement.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from orchestration.synthetic import scores
from orchestration.synthetic.anchors import Anchors, achievement_targets, draw
from orchestration.synthetic.movement import Year
from orchestration.synthetic.organisations import Directory
from orchestration.synthetic.rng import Stream, generator
from orchestration.synthetic.tested import EMPTY, TESTED, Sitting, statuses

SUBJECTS = ("ela", "math", "science")
GROWTH_GRADES = (4, 5, 6, 7, 8, 10)
HIGH = 9
"""First grade of the high school span."""


@dataclass
class Result:
    """One subject's results, a row a sitting row. Scores are on the new scale also where the legacy test was taken."""

    status: npt.NDArray[np.int8]
    alternate: npt.NDArray[np.bool_]
    alternate_level: npt.NDArray[np.int8]
    score: npt.NDArray[np.int16]
    growth: npt.NDArray[np.int16]

    @property
    def scored(self) -> npt.NDArray[np.bool_]:
        """Rows with a score of the regular test."""
        regular: npt.NDArray[np.bool_] = (self.status == TESTED) & ~self.alternate
        return regular


@dataclass
class Tests:
    """A year's test rows and results by subject."""

    sitting: Sitting
    results: dict[str, Result]
    best_science: npt.NDArray[np.int16]
    """Best high school science score of each row's student so far, 0 without."""
    science_subject: npt.NDArray[np.int8]


def hold_tests(life: Year, directory: Directory, anchors: Anchors, seed: int) -> Tests:
    """Test the students of a year and note the results in them as prior scores."""
    sitting = statuses(life, directory, anchors, seed)
    students, who = life.students, sitting.student
    figures = anchors.assessment
    rng = generator(seed, life.year, Stream.SCORES)
    n = len(who)

    groups = scores.membership(
        students.race[who],
        len(anchors.groups.race),
        students.low_income[who],
        students.english[who],
        students.disability[who],
    )
    level = directory.effects["level"][sitting.school]
    pushed = rng.normal(0, figures.spread["school_growth"], (2, len(directory.code)))
    growth = directory.effects["growth"] + pushed
    ela, math = students.ability_ela[who], students.ability_math[who]
    luck = rng.normal(0, figures.spread["year"], (2, n))
    residual = {
        "ela": ela + level + luck[0] + growth[0][sitting.school],
        "math": math + level + luck[1] + growth[1][sitting.school],
        "science": (ela + math) / 2 + level + rng.normal(0, figures.spread["science"], n),
    }
    alternate_level = draw(rng, figures.alternate.levels, n).astype(np.int8)
    alternate_score = np.array([figures.alternate.scores[word] for word in figures.alternate.levels])[alternate_level]

    results = {}
    for subject in SUBJECTS:
        status = sitting.status[subject]
        raw = np.full(n, np.nan)
        counts = (status == TESTED) & ~sitting.first_year
        alternate = sitting.alternate & (status == TESTED)
        for span, rows in (("non_high", sitting.grade < HIGH), ("high", sitting.grade >= HIGH)):
            own = np.flatnonzero(rows & (status != EMPTY))
            raw[own] = scores.fit_to_groups(
                groups[own],
                residual[subject][own],
                counts[own],
                alternate[own],
                alternate_score[own],
                achievement_targets(anchors, f"{subject}_{span}", life.year),
                list(anchors.groups.race),
                figures.starting_effects,
            )
        raw[(status != TESTED) | alternate] = np.nan
        score = scores.to_scale(raw, figures.score["minimum"], figures.score["maximum"])
        score[alternate] = alternate_score[alternate]
        results[subject] = Result(status, alternate, alternate_level, score, np.zeros(n, np.int16))
        if subject != "science":
            prior = students.prior_ela if subject == "ela" else students.prior_math
            results[subject].growth = scores.growth_percentiles(
                raw, prior[who].astype(float), sitting.grade, GROWTH_GRADES
            )
            prior[who] = np.where(np.isnan(raw), prior[who], raw)
    _learn(life, growth, anchors, rng)

    science = results["science"]
    high = science.scored & (sitting.grade >= HIGH)
    students.best_science[who[high]] = np.maximum(students.best_science[who[high]], science.score[high])
    subject_of = draw(rng, figures.science_subjects, n).astype(np.int8)
    return Tests(sitting, results, students.best_science[who], subject_of)


def _learn(life: Year, growth: npt.NDArray[np.float64], anchors: Anchors, rng: np.random.Generator) -> None:
    """Carry abilities to the next year: they fade toward the mean, what a school added stays, chance comes in."""
    students, figures = life.students, anchors.assessment
    keep, spread = figures.persistence, figures.spread
    fresh = np.sqrt(1 - keep**2) * spread["ability"]
    common = rng.standard_normal((3, len(students)), np.float32)
    shared, own = np.sqrt(1 - spread["subject_share"]), np.sqrt(spread["subject_share"])
    for ability, added, chance in (
        (students.ability_ela, growth[0], common[1]),
        (students.ability_math, growth[1], common[2]),
    ):
        ability *= keep
        ability += (added[students.school] + fresh * (shared * common[0] + own * chance)).astype(np.float32)


def skip_tests(life: Year, anchors: Anchors, seed: int) -> None:
    """A year without tests: students still change."""
    rng = generator(seed, life.year, Stream.SCORES)
    _learn(life, np.zeros((2, int(life.students.school.max(initial=0)) + 1)), anchors, rng)


def legacy_rows(grade: npt.NDArray[Any], subject: str, year: int, anchors: Anchors) -> npt.NDArray[np.bool_]:
    """Rows of a subject whose grade still took the legacy test in a year."""
    first = anchors.assessment.next_generation_from
    return np.where(grade >= HIGH, year < first[f"{subject}_high"], year < first[f"{subject}_non_high"])
