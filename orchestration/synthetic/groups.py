"""Who belongs to which student group when entering the state's schools, and how towns and neighbourhoods differ.

Belongs here: race, economic position, language, disability of new students; the yearly low-income line.
Does not: results.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from orchestration.synthetic.anchors import LARGEST_CHANCE, Anchors, Groups, draw, in_year
from orchestration.synthetic.organisations import Directory
from orchestration.synthetic.population import Bools, Bytes, Floats, Population, Shorts

PLACES = 10
"""Neighbourhoods of a town for which shares of race are worked out."""
NEVER = 99
"""A grade nobody reaches: a disability that does not end."""


def race_shares(directory: Directory, anchors: Anchors, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Cumulative shares of each race by town and neighbourhood, (towns, PLACES, races).

    Needy towns and neighbourhoods concentrate some groups; the shares are then scaled so that towns weighted by size
    add up to the statewide shares and every neighbourhood to one (iterative proportional fitting).
    """
    towns = directory.districts[: directory.towns]
    figures = anchors.groups
    wanted = np.array(list(figures.race.values()))
    wanted = wanted / wanted.sum()
    town, place, spread = (
        np.array([getattr(figures.concentration[race], what) for race in figures.race])
        for what in ("town", "place", "spread")
    )
    need = np.array([d.need for d in towns])
    middle = 2 * (np.arange(PLACES) + 0.5) / PLACES - 1
    tilt = np.outer(need, town) + spread * rng.normal(size=(len(towns), len(wanted)))
    shares = wanted * np.exp(tilt[:, None, :] + middle[None, :, None] * place)
    size = np.array([d.share for d in towns]) / PLACES
    for _ in range(60):
        shares *= wanted / np.einsum("t,tpr->r", size, shares)
        shares /= shares.sum(axis=2, keepdims=True)
    return np.cumsum(shares, axis=2)


def draw_race(rng: np.random.Generator, cumulative: npt.NDArray[np.float64], town: Shorts, place: Floats) -> Bytes:
    """A race each, by town and neighbourhood."""
    cell = cumulative[town, np.minimum((place * PLACES).astype(np.int8), PLACES - 1)]
    chance = rng.random(len(town))
    race: Bytes = (chance[:, None] > cell[:, :-1]).sum(axis=1).astype(np.int8)
    return race


def draw_race_code(rng: np.random.Generator, race: Bytes, groups: Groups) -> Bytes:
    """One of the codes of each student's race, as a position in `race_codes`."""
    counts = np.array([len(groups.codes[name]) for name in groups.race])
    first = np.cumsum(counts) - counts
    codes: Bytes = (first[race] + (rng.random(len(race)) * counts[race]).astype(np.int8)).astype(np.int8)
    return codes


def race_codes(groups: Groups) -> tuple[str, ...]:
    """All race codes in use, in the order of the groups."""
    return tuple(code for name in groups.race for code in groups.codes[name])


def draw_economy(
    rng: np.random.Generator, race: Bytes, town: Shorts, place: Floats, directory: Directory, groups: Groups
) -> Floats:
    """Lasting economic position; higher is poorer. Unit: one sd among students of the same race, town and place."""
    figures = groups.low_income
    need = np.array([d.need for d in directory.districts])
    by_race = np.array([figures.race[name] for name in groups.race])
    value = by_race[race] + figures.town * need[town] + figures.place * (2 * place - 1)
    return (value + rng.normal(0, figures.persistent, len(race))).astype(np.float32)


def draw_english(
    rng: np.random.Generator, race: Bytes, share: npt.NDArray[np.float64] | float, groups: Groups
) -> Bools:
    """Which new students are English learners; `share` is the statewide share, races differ."""
    factors = np.array([groups.english_learner.race[name] for name in groups.race])
    weights = np.array(list(groups.race.values()))
    factors = factors / (factors * weights / weights.sum()).sum()
    learners: Bools = rng.random(len(race)) < np.minimum(share * factors[race], LARGEST_CHANCE)
    return learners


def draw_disability(rng: np.random.Generator, poor: Bools, groups: Groups) -> tuple[Bytes, Bytes, Bytes]:
    """Kind of disability, grade at which it is found and grade at which services end (NEVER for both: none)."""
    figures = groups.disability
    base = figures.ever / (1 + (figures.low_income - 1) * figures.poorest)
    ever = rng.random(len(poor)) < base * np.where(poor, figures.low_income, 1.0)
    begins = np.fromiter(figures.begins, np.int8)[draw(rng, figures.begins, len(poor))]
    low, high = figures.ends_grades
    ends = rng.integers(low, high + 1, len(poor)).astype(np.int8)
    ends[rng.random(len(poor)) >= figures.ends] = NEVER
    return draw(rng, figures.kinds, len(poor)).astype(np.int8), np.where(ever, begins, NEVER).astype(np.int8), ends


def low_income(rng: np.random.Generator, students: Population, year: int, groups: Groups) -> Bools:
    """The poorest students of a year, as many as the year's statewide share."""
    figures = groups.low_income
    value = students.economy + rng.normal(0, figures.changing, len(students))
    return value > np.quantile(value, 1 - in_year(figures.share, year) / 100)


def disability_codes(students: Population, groups: Groups, which: npt.NDArray[Any]) -> npt.NDArray[np.int8]:
    """Positions in `disability_values` of the students at `which`; developmental delay ends with grade 3."""
    figures = groups.disability
    kinds = tuple(figures.kinds)
    kind = students.disability_kind[which] + 1
    delayed = (kind == kinds.index(figures.until_grade_3) + 1) & (students.grade[which] > 3)
    kind[delayed] = kinds.index(figures.afterwards) + 1
    return np.where(students.disability[which], kind, 0).astype(np.int8)


def disability_values(groups: Groups) -> tuple[str, ...]:
    """Codes that disability_codes refers to; the first is none."""
    return ("500", *groups.disability.kinds)
