"""The students as arrays, one position a student.

Belongs here: what is known of a student and generic operations on the arrays. Does not: how a value comes about.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.int8]
Shorts = npt.NDArray[np.int16]


@dataclass
class Population:
    """One year's students. Grades are numbers: -1 pre-kindergarten, 0 kindergarten, 1-12, 13 beyond grade 12."""

    serial: npt.NDArray[np.int32]
    """Never used twice; the public identifier is made from it."""
    town: Shorts
    place: Floats
    """Neighbourhood inside the town, 0 (best off) to 1."""
    school: Shorts
    """School on October 1, or of arrival."""
    grade: Bytes
    race: Bytes
    """Position among the groups of anchors.yml."""
    race_code: Bytes
    """Position among all race codes of anchors.yml."""
    economy: Floats
    """Lasting part of the student's economic position; higher is poorer."""
    low_income: Bools
    english_learner: Bools
    english_years: Bytes
    """School years as an English learner, this one included."""
    former_years: Bytes
    """Years since reclassification: 0 never or too long ago, else 1 up to the years that count."""
    english_level: Bytes
    """Overall ACCESS level of the last test in tenths, 0 without."""
    disability_kind: Bytes
    """Position among the kinds of anchors.yml, meaningful while `disability` holds."""
    disability_from: Bytes
    disability_until: Bytes
    """Grades from which and before which the student has the disability."""
    ability_ela: Floats
    ability_math: Floats
    """Scaled-score points above students of the same groups and school."""
    prior_ela: Floats
    prior_math: Floats
    """Scaled score of the last test, NaN without."""
    best_science: Shorts
    """Best high school science score so far, 0 without."""
    absence: Floats
    risk: Floats
    """Standardised lasting tendencies to be absent and to leave school."""
    cohort: Shorts
    """Spring year in which a student who entered grade 9 should graduate, 0 before."""
    ever_low_income: Bools
    ever_english: Bools
    ever_disability: Bools
    """Whether it held in any year of grades 9-12 so far."""

    def __len__(self) -> int:
        return len(self.serial)

    @property
    def disability(self) -> Bools:
        """Students with a disability this year."""
        return (self.disability_from <= self.grade) & (self.grade < self.disability_until)

    @property
    def english(self) -> Bools:
        """Current and former English learners."""
        return self.english_learner | (self.former_years > 0)

    @property
    def first_year(self) -> Bools:
        """English learners in their first year in the country's schools."""
        newcomers: Bools = self.english_learner & (self.english_years == 1) & (self.grade > 0)
        return newcomers

    def take(self, which: npt.NDArray[Any]) -> Population:
        """The students at positions or under a mask."""
        return Population(**{f.name: getattr(self, f.name)[which] for f in fields(self)})

    def joined(self, other: Population) -> Population:
        """These students and then `other`."""
        return Population(
            **{f.name: np.concatenate([getattr(self, f.name), getattr(other, f.name)]) for f in fields(self)}
        )
