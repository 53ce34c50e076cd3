"""How far a figure stands from the threshold of a test, and on which side: why, and why not.

Belongs here: the direction of each kind of test, its words, the nearest thresholds. Does not: any limit, and no
comparing; whether a test was met and by how much stands in its step.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from orchestration.explanation.spelling import NONE, Row, spoken

NEAREST = 5
"""Comparisons of one unit that a list of the nearest shows."""
ABSENCE = "insufficient_data"
"""The test that is met by a figure that is not there."""


class Direction(Enum):
    """What a figure has to do to meet a test; the words say which figures do."""

    AT_MOST = "met at it or below"
    BELOW = "met below it"
    BAND = "where the next band begins"
    AT_LEAST = "met at it or above"


LIMITS = {"at_most": Direction.AT_MOST, "below": Direction.BELOW}
"""Parameter of the policy row that limits a test, to its direction."""
TESTS = {"progress": Direction.BAND, "recognition": Direction.AT_LEAST}
"""Tests whose policy row does not name a direction."""
UNITS = {
    "percentile": ("percentile point", "percentile points"),
    "percent": ("percentage point", "percentage points"),
    "whole percent": ("percentage point", "percentage points"),
    "grounds in the ledger": ("ground", "grounds"),
}
"""Unit of the policy row to what one and many of its distances are called; another unit is called by its name."""


@dataclass(frozen=True)
class Comparison:
    """A figure held against the threshold of a test. `is_reached`: the figure is where the threshold begins to count.

    A band is reached in any case; its threshold is that of the next one, which is not.
    """

    test: str
    check: Row
    direction: Direction
    one: str
    many: str

    @property
    def is_reached(self) -> bool:
        return bool(self.check["met"]) and self.direction is not Direction.BAND

    @property
    def size(self) -> Decimal:
        """How far the figure is away, on either side."""
        return abs(Decimal(str(self.check["distance"])))

    @property
    def distance(self) -> str:
        """How far the figure is from the threshold, and on which side of it: `2 percentile points above`."""
        signed = Decimal(str(self.check["distance"]))
        if not signed:
            return "exactly at it"
        size = str(self.check["distance"]).lstrip("-")
        return f"{size} {self.one if abs(signed) == 1 else self.many} {'below' if signed < 0 else 'above'} it"

    @property
    def text(self) -> str:
        """What was compared, its figure, the threshold and which side of it counts, the distance, what it came to."""
        what, figure, said = what_of(self.check) or "value", self.check["figure"], outcome_of(self.test, self.check)
        limit = f"{self.check['threshold']} ({self.direction.value})"
        return f"{what}: {figure}, threshold {limit}, {self.distance}: {said}"


def comparison(step: Row, check: Row) -> Comparison | None:
    """A check of a test's step as a comparison; None where there was no figure, or nothing to hold it against."""
    if check.get("distance") is None or check.get("figure") is None:
        return None
    limit = next((row for row in step["parameters"] if row["parameter"] in LIMITS), None)
    row = limit or next(iter(step["parameters"]), {"unit": ""})
    direction = LIMITS[limit["parameter"]] if limit else TESTS.get(step["indicator"])
    if direction is None:
        return None
    return Comparison(step["indicator"], check, direction, *UNITS.get(row["unit"], (row["unit"], row["unit"])))


def checks_of(step: Row) -> list[Row]:
    """The checks of a test's step, met ones first, each kind from the nearest to the farthest, those without last."""
    checks: list[Row] = step["inputs"].get("checks", [])

    def order(check: Row) -> tuple[bool, bool, Decimal]:
        found = comparison(step, check)
        return (not check["met"], found is None, found.size if found else Decimal(0))

    return sorted(checks, key=order)


def check_line(step: Row, check: Row) -> str:
    """One check of a test in words."""
    if found := comparison(step, check):
        return found.text
    what, test = what_of(check) or "value", step["indicator"]
    if test == ABSENCE:
        there = NONE if check["met"] else f"{check['figure']} is there"
        return f"{what}: {there}: {outcome_of(test, check)}"
    if check.get("figure") is None:
        return f"{what}: {spoken(check['status'])}"
    return f"{what}: {check['figure']}: {outcome_of(test, check)}"


def outcome_of(test: str, check: Row) -> str:
    """What a check came to: a band is reached, any other test is met or not."""
    if TESTS.get(test) is Direction.BAND:
        return "band reached" if check["met"] else "no band"
    return "met" if check["met"] else "not met"


def what_of(check: Row) -> str:
    """Whose figure it was, or which."""
    return ", ".join(spoken(check[name]) for name in ("student_group", "subject") if check.get(name))


@dataclass(frozen=True)
class Nearest:
    """The nearest thresholds of one unit that are not reached, or that are: `lines` of `count` comparisons."""

    is_reached: bool
    unit: str
    count: int
    lines: tuple[str, ...]


def nearest(steps: Iterable[Row]) -> list[Nearest]:
    """What would have to change, and by how much: first what was not reached, then what would undo what was.

    Distances of different units are not compared: a percentile point is no percentage point.
    """
    found: dict[tuple[bool, str], list[Comparison]] = {}
    for step in steps:
        if step["kind"] == "classification":
            for check in step["inputs"].get("checks", []):
                if made := comparison(step, check):
                    found.setdefault((made.is_reached, made.many), []).append(made)
    out = []
    for (is_reached, unit), made_of in sorted(found.items()):
        closest = sorted(made_of, key=lambda made: made.size)[:NEAREST]
        lines = tuple(f"{spoken(made.test)}, {made.text}" for made in closest)
        out.append(Nearest(is_reached, unit, len(made_of), lines))
    return out
