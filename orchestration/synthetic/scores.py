"""The score model: scaled scores that come out at the published mean of every student group, and growth percentiles.

Belongs here: arithmetic on arrays. Does not: who tests (assessment.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from orchestration.synthetic.anchors import Pull

Scores = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def membership(race: npt.NDArray[Any], races: int, low_income: Flags, english: Flags, disability: Flags) -> Scores:
    """(students, races + 3) of 0 and 1: one column a race, then low income, current and former EL, disability."""
    out = np.zeros((len(race), races + 3))
    out[np.arange(len(race)), race] = 1
    out[:, races], out[:, races + 1], out[:, races + 2] = low_income, english, disability
    return out


def fit_to_groups(
    groups: Scores,
    residual: Scores,
    counts: Flags,
    fixed: Flags,
    fixed_score: Scores,
    targets: Mapping[str, float],
    races: list[str],
    pull: Pull,
) -> Scores:
    """Scores whose mean in every group of `groups` is the target, as far as the groups overlap consistently.

    A score is the sum of its groups' effects and `residual`. The effects solve the normal equations of "sum of scores
    of a group = target x members", over the students that count; those in `fixed` have their score beforehand.
    A light pull toward the race means and the usual gaps keeps very small groups sensible.
    """
    names = [*races, "low_income", "english", "disability"]
    wanted = np.array([targets[name] for name in names])
    prior = wanted.copy()
    prior[len(races) :] = pull.low_income, pull.english, pull.disability
    free = counts & ~fixed
    x = groups[free]
    weight = pull.strength * np.eye(len(names))
    members = groups[counts].sum(axis=0)
    already = groups[counts & fixed].T @ fixed_score[counts & fixed]
    right = wanted * members - already - x.T @ residual[free] + weight @ prior
    effects = np.linalg.solve(x.T @ x + weight, right)
    return groups @ effects + residual


def growth_percentiles(
    score: Scores, prior: Scores, grade: npt.NDArray[Any], cohorts: tuple[int, ...]
) -> npt.NDArray[np.int16]:
    """Percentile (1-99) of what a score exceeds the expected one for its prior score, in the grade; 0 without a prior.

    Ranks make the distribution even and its mean 50.
    """
    out = np.zeros(len(score), np.int16)
    for cohort in cohorts:
        own = np.flatnonzero((grade == cohort) & ~np.isnan(prior) & ~np.isnan(score))
        if len(own) < 2:
            continue
        before = prior[own] - prior[own].mean()
        slope = (before @ (score[own] - score[own].mean())) / max(float(before @ before), 1e-9)
        rank = np.empty(len(own))
        rank[np.argsort(score[own] - slope * before, kind="stable")] = np.arange(len(own))
        out[own] = 1 + np.floor((rank + 0.5) * 99 / len(own))
    return out


def to_scale(score: Scores, low: int, high: int) -> npt.NDArray[np.int16]:
    """Whole scaled scores inside the scale."""
    return np.rint(np.clip(np.nan_to_num(score, nan=low), low, high)).astype(np.int16)


def to_legacy(score: npt.NDArray[np.int16], link: Mapping[int, int]) -> npt.NDArray[np.int16]:
    """Even legacy scores by the piecewise link."""
    points = np.interp(score, list(link), list(link.values()))
    return (2 * np.rint(points / 2)).astype(np.int16)


def level_of(score: npt.NDArray[np.int16], levels: Mapping[str, int]) -> npt.NDArray[np.int8]:
    """Position of each score's level in `levels`, which rise."""
    return (np.searchsorted(list(levels.values()), score, side="right") - 1).astype(np.int8)
