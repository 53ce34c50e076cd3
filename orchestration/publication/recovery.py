"""Which withheld counts can be worked out from the published ones, measure by measure.

Belongs here: lines as equations, populations as their unknowns. Does not: solving (`elimination`), what is withheld
in answer (`withholding`).

A line whose parts make up its total is an equation between its withheld counts. A pair is one only where its rest is
below the minimum, for then the rest must not be found either; as the rest stands in no other line it follows exactly if
the total and the part always move together, which needs no unknown of its own.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from orchestration.publication.counting import Populations
from orchestration.publication.elimination import Column, Sums
from orchestration.publication.lines import PAIR, Holding, Lines


@dataclass(frozen=True)
class Open:
    """A count that follows from published ones: a line it is in, and what it is as a sum (population to factor)."""

    line: int
    sought: dict[int, int]


class Recovery:
    """What is unknown to the public, and what follows nevertheless."""

    def __init__(self, lines: Lines, holding: Holding, populations: Populations, minimum: int) -> None:
        self._lines, self._holding, self._populations = lines, holding, populations
        self._measure: list[int] = lines.measure.tolist()
        self._is_equation = (lines.kind != PAIR).tolist()
        self._hidden: list[int] = []
        measures = range(max(self._measure, default=-1) + 1)
        self._sums = [Sums() for _ in measures]
        self._pairs: list[list[int]] = [[] for _ in measures]  # whose rest is small and follows
        self._nobodys: list[set[int]] = [set() for _ in measures]  # totals without a row: unknown from the start
        rest = lines.rest
        small = (rest > 0) & (rest < minimum)
        self._is_small = small.tolist()
        for line in np.flatnonzero(small).tolist():
            self._pairs[self._measure[line]].append(line)
        for line in np.flatnonzero(lines.count == 0).tolist():
            self._nobodys[self._measure[line]].add(int(lines.total[line]))
        for population in sorted(set().union(*self._nobodys)):
            for measure, column in self._columns(population).items():
                if population in self._nobodys[measure]:
                    self._sums[measure].take_in(population, column)

    def hide(self, population: int) -> None:
        """Make a population unknown in every measure."""
        self._hidden.append(population)

    def still_open(self) -> list[Open]:
        """Every count that follows; a total that there is no row for is nobody's figure."""
        self._take_in()
        found: list[Open] = []
        for measure, sums in enumerate(self._sums):
            moved = sums.question()
            pairs = [(line, *self._ends(line)) for line in self._pairs[measure]]
            together = [(line, total, part) for line, total, part in pairs if moved.get(total, 0) == moved.get(part, 0)]
            self._pairs[measure] = [line for line, _, _ in together]
            here = [Open(line, {total: 1, part: -1}) for line, total, part in together]
            solved = sorted(sums.determined - self._nobodys[measure])
            here += [Open(self._first_line(measure, population), {population: 1}) for population in solved]
            found += sorted(here, key=lambda open_: open_.line)
        return found

    def derivation(self, found: Open) -> list[int]:
        """Lines that such a count follows from, taken together."""
        return self._sums[self._measure[found.line]].derivation(found.sought)

    def _take_in(self) -> None:
        """Take in what was hidden since the last time, schools before their district."""
        hidden = np.array(self._hidden, np.int64)
        self._hidden.clear()
        depth = self._populations.depth[self._populations.place_of(hidden)]
        for population in hidden[np.lexsort((hidden, -depth))].tolist():
            for measure, column in self._columns(population).items():
                if population not in self._nobodys[measure]:
                    self._sums[measure].take_in(population, column)

    def _columns(self, population: int) -> dict[int, Column]:
        """Measure to the population's coefficients in the lines that it is in: -1 as the total, else 1."""
        columns: defaultdict[int, Column] = defaultdict(dict)
        for line, is_total in zip(*self._holding.of(population)[:2], strict=True):
            if self._is_equation[line]:
                columns[self._measure[line]][line] = -1 if is_total else 1
        return columns

    def _first_line(self, measure: int, population: int) -> int:
        """The first line of a measure that ties a population."""
        lines = self._holding.of(population)[0]
        tied = (n for n in lines if self._is_equation[n] or self._is_small[n])
        return next(line for line in tied if self._measure[line] == measure)

    def _ends(self, line: int) -> tuple[int, int]:
        """Total and part of a pair."""
        return int(self._lines.total[line]), int(self._lines.part[self._lines.start[line]])
