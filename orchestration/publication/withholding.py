"""Which populations the public may not see: small ones, and as many others as keep them from being subtracted out.

Belongs here: counts of populations, the lines that tie them, the choice of what is withheld. Does not: tables and
columns (`suppression`), and the exact test of what can be worked out (`elimination`).

A population is a place, a gradespan and a student group. It is withheld as a whole: all its counts in all tables.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from orchestration.publication.elimination import Row, determined

ALL_STUDENTS = "all_students"
HIGH_NEEDS = "high_needs"
SMALL, COMPLEMENT, SUBTRACTION = "small", "complement", "subtraction"
"""Why a population is withheld: a small count of its own, a small rest beside it, or to protect another one."""
GROUPS, PLACES, PAIR = "groups", "places", "pair"
DEPTH = {"state": 0, "district": 1, "school": 2}


class Population(NamedTuple):
    """Whom a count is about."""

    org_code: str
    gradespan: str
    student_group: str


class Place(NamedTuple):
    """An organisation and the one above it, None for the state."""

    org_type: str
    above: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """A total and what it is made of, in one measure. `rest`: what the part of a pair leaves of its total.

    A pair is a total and one group within it; its rest is the group's complement. In the other kinds the parts are
    taken to make up the total whether they do or not.
    """

    kind: str
    measure: str
    total: Population
    parts: tuple[Population, ...]
    rest: int


Counts = Mapping[str, Mapping[Population, int]]
"""Measure to population to count. Counts of zero are public and left out."""


def lines_of(
    counts: Counts, places: Mapping[str, Place], races: Iterable[str], needs: Iterable[str], *, pairs: bool
) -> list[Line]:
    """Every line, deepest place first. `needs`: groups within High Needs; `pairs`: whether complements count."""
    races, needs = frozenset(races), frozenset(needs)
    found: list[Line] = []
    for measure, of in sorted(counts.items()):
        parts: dict[tuple[str, Population], list[Population]] = defaultdict(list)
        for population in sorted(of):
            org, span, group = population
            if (above := places[org].above) is not None:
                parts[PLACES, Population(above, span, group)].append(population)
            if group in races:
                parts[GROUPS, Population(org, span, ALL_STUDENTS)].append(population)
            if pairs and group not in races and group != ALL_STUDENTS:
                found += _pair(measure, of, Population(org, span, ALL_STUDENTS), population)
            if pairs and group in needs:
                found += _pair(measure, of, Population(org, span, HIGH_NEEDS), population)
        found += [Line(kind, measure, total, tuple(members), 0) for (kind, total), members in parts.items()]
    order = {PAIR: 0, PLACES: 1, GROUPS: 2}
    return sorted(found, key=lambda x: (x.measure, -DEPTH[places[x.total.org_code].org_type], order[x.kind], x.total))


def _pair(measure: str, of: Mapping[Population, int], total: Population, part: Population) -> list[Line]:
    return [Line(PAIR, measure, total, (part,), of[total] - of[part])] if total in of else []


class Withholding:
    """What is withheld so far, and why. `settle` adds to it until nothing withheld can be worked out."""

    def __init__(self, counts: Counts, lines: list[Line], places: Mapping[str, Place], minimum: int):
        self.counts, self.lines, self.places, self.minimum = counts, lines, places, minimum
        self.why: dict[Population, str] = {}
        self._holding: dict[Population, list[int]] = defaultdict(list)
        for number, line in enumerate(lines):
            for population in (line.total, *line.parts):
                self._holding[population].append(number)
        self._todo: deque[int] = deque(range(len(lines)))

    def withhold_small(self) -> None:
        """Every population with a count below the minimum in any measure."""
        for of in self.counts.values():
            for population, count in of.items():
                if self._is_small(count):
                    self.withhold(population, SMALL)

    def withhold(self, population: Population, why: str) -> None:
        """Withhold a population and look at all of its lines again."""
        if population not in self.why:
            self.why[population] = why
            self._todo += self._holding[population]

    def settle(self) -> None:
        """Withhold more until no withheld population follows from what is published; at worst all of it is withheld."""
        while self._todo:
            while self._todo:
                self._look_at(self.lines[self._todo.popleft()])
            for line in self._still_open():
                self._withhold_near(line)

    def _look_at(self, line: Line) -> None:
        """First aid, line by line: no line with one unknown, none whose unknowns are few students together."""
        hidden = [p for p in line.parts if p in self.why]
        shown = sum(self.counts[line.measure][p] for p in line.parts if p not in self.why)
        total = self.counts[line.measure].get(line.total)
        if total is None:  # no such row: unknown, nobody's figure
            return
        if line.total in self.why:
            if not hidden and self._is_closed(line):
                self._withhold_one(line, SUBTRACTION)
            return
        left = sum(self.counts[line.measure][p] for p in hidden) if line.kind == PLACES else total - shown
        if self._is_small(left):
            self._withhold_one(line, SUBTRACTION if hidden else COMPLEMENT)
        elif len(hidden) == 1 and self._is_closed(line):
            self._withhold_one(line, SUBTRACTION)

    def _is_small(self, count: int) -> bool:
        return 0 < count < self.minimum

    def _is_closed(self, line: Line) -> bool:
        """Whether the parts are taken to make up the total."""
        return line.kind != PAIR

    def _withhold_one(self, line: Line, why: str) -> bool:
        """Withhold the smallest population of a line that is still published; whether there was one."""
        of = self.counts[line.measure]
        free = [p for p in (line.total, *line.parts) if p in of and p not in self.why]
        if free:
            self.withhold(min(free, key=lambda p: (of[p], p)), why)
        return bool(free)

    # --- The exact test ----------------------------------------------------------------------------------------------

    def _still_open(self) -> list[int]:
        """One line for each unknown that the published counts determine."""
        found: list[int] = []
        by_measure: dict[str, list[int]] = defaultdict(list)
        for number, line in enumerate(self.lines):
            by_measure[line.measure].append(number)
        for measure, numbers in by_measure.items():
            of = self.counts[measure]
            rows: list[Row] = []
            first: dict[object, int] = {}
            for number in numbers:
                line = self.lines[number]
                if not self._is_closed(line) and not self._is_small(line.rest):
                    continue
                row: Row = {p: 1 for p in line.parts if p in self.why}
                if line.total in self.why or line.total not in of:
                    row[line.total] = -1
                if self._is_small(line.rest):
                    row[number] = 1
                rows.append(row)
                for unknown in row:
                    first.setdefault(unknown, number)
            solved = determined(rows, self._depth)
            found += sorted(first[u] for u in solved if isinstance(u, int) or u in of)
        return found

    def _depth(self, unknown: object) -> int:
        return DEPTH[self.places[unknown.org_code].org_type] if isinstance(unknown, Population) else len(DEPTH)

    def _withhold_near(self, start: int) -> None:
        """Withhold one more population of a line or, where none is left in it, of the nearest line tied to it.

        Where none is left at all, nothing that is published bears on the line, and nothing can be worked out.
        """
        seen, todo = {start}, deque([start])
        while todo:
            line = self.lines[todo.popleft()]
            if self._withhold_one(line, SUBTRACTION):
                return
            for population in (line.total, *line.parts):
                for number in self._holding[population]:
                    if number not in seen and self.lines[number].measure == line.measure:
                        seen.add(number)
                        todo.append(number)
