"""Random streams. Each concern of each year has its own, so that a change in one leaves every other as it was."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """Numbers of the streams. They are part of the output: never renumber, only add."""

    NAMES = 1
    LAYOUT = 2
    TOWNS = 3
    EFFECTS = 4
    START = 5
    ARRIVALS_SUMMER = 6
    INCOME = 7
    LEAVING = 8
    MOVES = 9
    ARRIVALS_MID_YEAR = 10
    ABSENCE = 11
    ACCESS = 12
    TEST_STATUS = 13
    SCORES = 14
    SCIENCE = 15
    COURSES = 16
    COMPLETION = 17
    PROMOTION = 18
    SCHOOL_YEAR = 19
    DESIGNATIONS = 20
    RECOGNITIONS = 21
    STAFF = 22
    PLANS = 23
    DEFECTS = 24
    YEAR_END = 25


def generator(seed: int, year: int, stream: Stream) -> np.random.Generator:
    """The stream of one concern in one year; year 0 is for what does not change with the year."""
    return np.random.default_rng(np.random.SeedSequence([seed, year, int(stream)]))
