"""What can be worked out from sums: which unknowns of a set of linear equations have one solution only.

Belongs here: arithmetic. Does not: what an unknown is.

An unknown is determined if no change that keeps every equation moves it. Unknowns are taken in one by one, each by its
column: its coefficient in every equation that it is in. A column is reduced by those of earlier unknowns:

- Nothing is left: earlier unknowns can make up for this one, whatever it does. That is a change, and neither this
  unknown nor those that make up for it are determined.
- Something is left: the unknown becomes a pillar. It answers for the first equation left to it, in which later columns
  are reduced by it. Nothing makes up for it, so it is determined, until a later unknown is found that it makes up for.

Every change is a sum of those found in this way. So what can move still can when there are more unknowns, and a new
question has to look at the changes found since the last one only. These are looked at together, each times a factor
drawn at random: that an unknown which can move is seen to stand still is less likely than 1 in 10^18, and would only
withhold more. All else is exact: whole numbers, and fractions where a division leaves some.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction
from random import Random

Exact = int | Fraction
Column = dict[int, Exact]
"""Equation to coefficient."""
BITS = 61
"""Of a factor."""


class Sums:
    """Equations and the unknowns taken in so far. Both are numbers; the known side of an equation does not matter.

    Order decides the work, not the answer: it stays small if equations of unknowns that are near one another (the
    groups of a school) have lower numbers than those that tie many together (the districts of the state).
    """

    def __init__(self) -> None:
        self.determined: set[int] = set()
        """As of the last question."""
        self._pillars: list[int] = []
        self._answering: dict[int, int] = {}  # equation to the place of its pillar
        self._left: list[Column] = []  # of each pillar: its column after reduction
        self._taken: list[Column] = []  # of each pillar: place of an earlier one to how often that was subtracted
        self._found: dict[int, Exact] = {}  # unknowns that are made up for, since the last question, with their factors
        self._called: defaultdict[int, Exact] = defaultdict(int)  # place of a pillar to what they ask of it
        self._random = Random(BITS)  # noqa: S311 - a fixed draw: the same release twice is the same public variant

    @property
    def size(self) -> int:
        """How many coefficients are kept: what taking in and asking cost."""
        return sum(map(len, self._left)) + sum(map(len, self._taken))

    def take_in(self, unknown: int, column: Mapping[int, Exact]) -> None:
        """Add an unknown by its column."""
        left: Column = dict(column)
        taken: Column = {}
        while left:
            equation = min(left)
            place = self._answering.get(equation)
            if place is None:
                self._answering[equation] = len(self._pillars)
                self._pillars.append(unknown)
                self._left.append(left)
                self._taken.append(taken)
                self.determined.add(unknown)
                return
            pillar = self._left[place]
            taken[place] = times = _divided(left[equation], pillar[equation])
            for other, value in pillar.items():
                if rest := left.get(other, 0) - times * value:
                    left[other] = rest
                else:
                    del left[other]
        self._found[unknown] = factor = 1 + self._random.getrandbits(BITS)
        for place, times in taken.items():
            self._called[place] -= times * factor

    def question(self) -> dict[int, Exact]:
        """How far each unknown moves in the changes found since the last question; `determined` is brought up to date.

        An unknown that is not in the answer stands still.
        """
        moved, self._found = self._found, {}
        for place in range(max(self._called, default=-1), -1, -1):  # a pillar calls on earlier ones only
            if amount := self._called.pop(place, 0):
                moved[self._pillars[place]] = amount
                for earlier, times in self._taken[place].items():
                    self._called[earlier] -= times * amount
        self.determined -= moved.keys()
        return moved

    def derivation(self, sought: Mapping[int, int]) -> list[int]:
        """Equations that give the value of a sum of unknowns (unknown to factor); it has to be determined.

        Times some factor each, they add up to the sum. Found backwards: what they come to in each reduced column, then
        the factor of the equation that its pillar answers for. Equations without a pillar are not needed.
        """
        comes_to: list[Exact] = []
        for unknown, taken in zip(self._pillars, self._taken, strict=True):
            less = sum(times * comes_to[place] for place, times in taken.items()) if taken else 0
            comes_to.append(sought.get(unknown, 0) - less)
        factor: Column = {}
        for equation, place in sorted(self._answering.items(), reverse=True):
            left = self._left[place]
            rest = comes_to[place] - sum(value * factor.get(other, 0) for other, value in left.items())
            if rest:
                factor[equation] = _divided(rest, left[equation])
        return sorted(factor)


def _divided(value: Exact, by: Exact) -> Exact:
    """The exact quotient, whole if it is."""
    if by == 1:
        return value
    if by == -1:
        return -value
    quotient = Fraction(value) / by
    return quotient.numerator if quotient.denominator == 1 else quotient
