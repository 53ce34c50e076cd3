"""Which populations the public may not see: small ones, and as many others as keep them from being subtracted out.

Belongs here: the choice of what is withheld. Does not: tables and columns (`suppression`), the lines that tie counts
(`lines`), the exact test of what can be worked out (`recovery`).

A population is withheld as a whole: all its counts in all tables.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import numpy as np

from orchestration.publication.counting import Populations
from orchestration.publication.lines import PAIR, PLACES, Holding, Lines
from orchestration.publication.recovery import Open, Recovery

SMALL, COMPLEMENT, SUBTRACTION = "small", "complement", "subtraction"
"""Why a population is withheld: a small count of its own, a small rest beside it, or to protect another one."""


class Withholding:
    """What is withheld so far, and why. `settle` adds to it until nothing withheld can be worked out.

    Populations and lines are numbers. What the withheld parts of a line amount to is brought up to date with every
    population, so that looking at a line takes no longer for a state than for a school.
    """

    def __init__(self, lines: Lines, populations: Populations, minimum: int):
        self.why: dict[int, str] = {}
        self._lines, self._minimum = lines, minimum
        self._holding = Holding(lines, len(populations))
        self._recovery = Recovery(lines, self._holding, populations, minimum)
        self._is_withheld = np.zeros(len(populations), np.bool_)
        self._kind, self._total, self._count = lines.kind.tolist(), lines.total.tolist(), lines.count.tolist()
        self._unknown = [0] * len(lines)  # withheld parts
        self._left = np.where(lines.kind == PLACES, 0, lines.count - lines.of_parts).tolist()  # their counts and a rest
        self._is_changed = bytearray(b"\1") * len(lines)  # since it was looked at
        self._todo = deque(range(len(lines)))

    def withhold(self, population: int, why: str) -> None:
        """Withhold a population and look at all of its lines again."""
        if population in self.why:
            return
        self.why[population] = why
        self._is_withheld[population] = True
        self._recovery.hide(population)
        lines, is_total, counts = self._holding.of(population)
        for line, as_total, count in zip(lines, is_total, counts, strict=True):
            self._is_changed[line] = True
            if not as_total:
                self._unknown[line] += 1
                self._left[line] += count
        self._todo += lines

    def settle(self) -> None:
        """Withhold more until no withheld population follows from what is published; at worst all of it is withheld."""
        while self._todo:
            while self._todo:
                line = self._todo.popleft()
                if self._is_changed[line]:
                    self._is_changed[line] = False
                    self._look_at(line)
            for found in self._still_open():
                self._withhold_for(found)

    def _look_at(self, line: int) -> None:
        """First aid, line by line: no line with one unknown, none whose unknowns are few students together."""
        if not self._count[line]:  # no such row: unknown, nobody's figure
            return
        unknown, is_closed = self._unknown[line], self._kind[line] != PAIR
        if self._total[line] in self.why:
            if not unknown and is_closed:
                self._withhold_one([line], SUBTRACTION)
        elif 0 < self._left[line] < self._minimum:
            self._withhold_one([line], SUBTRACTION if unknown else COMPLEMENT)
        elif unknown == 1 and is_closed:
            self._withhold_one([line], SUBTRACTION)

    def _still_open(self) -> list[Open]:
        """The exact test: what the published counts determine together, however many lines it takes."""
        return self._recovery.still_open()

    def _withhold_for(self, found: Open) -> None:
        """Withhold one more population of its line or, where none is left in it, of the lines that it follows from.

        Where none is left in these either, nothing that is published bears on the count.
        """
        if not self._withhold_one([found.line], SUBTRACTION):
            self._withhold_one(self._recovery.derivation(found), SUBTRACTION)

    def _withhold_one(self, lines: Iterable[int], why: str) -> bool:
        """Withhold the smallest population of some lines that is still published; whether there was one."""
        free = [entry for line in lines for entry in self._published(line)]
        if free:
            self.withhold(min(free)[1], why)
        return bool(free)

    def _published(self, line: int) -> Iterable[tuple[int, int]]:
        """Count and number of every population of a line that is not withheld."""
        parts = slice(self._lines.start[line], self._lines.start[line + 1])
        populations = np.append(self._lines.part[parts], self._total[line])
        counts = np.append(self._lines.of_part[parts], self._count[line])
        free = (counts > 0) & ~self._is_withheld[populations]
        return zip(counts[free].tolist(), populations[free].tolist(), strict=True)
