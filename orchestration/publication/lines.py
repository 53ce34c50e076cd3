"""The lines that tie counts together: a total and what it is made of, in one measure.

Belongs here: finding every line, and its counts. Does not: what is withheld for one (`withholding`).

There are three kinds. Places make up the place above them, race groups make up All Students; the parts are taken to
make up the total whether they do or not. A pair is a total and one group within it, whose rest is the group's
complement.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from orchestration.publication.counting import ALL_STUDENTS, HIGH_NEEDS, Counted, Numbers, Populations

PAIR, PLACES, GROUPS = 0, 1, 2
"""Kinds, in the order in which lines of the same depth are looked at."""


@dataclass(frozen=True)
class Lines:
    """Lines as columns, measure by measure, deepest place first; their parts one after the other."""

    measure: Numbers
    """Which of the measures, in the order of their names."""
    kind: Numbers
    total: Numbers
    """Number of the population."""
    count: Numbers
    """Count of the total, 0 where there is no row for it."""
    start: Numbers
    """Where the parts of each line begin in `part`; one entry more than lines."""
    part: Numbers
    of_part: Numbers
    """Count of each part."""

    def __len__(self) -> int:
        return len(self.kind)

    @property
    def of_parts(self) -> Numbers:
        """What the parts of each line come to."""
        return np.add.reduceat(self.of_part, self.start[:-1]) if len(self) else self.count

    @property
    def rest(self) -> Numbers:
        """What the part of a pair leaves of its total; 0 for the other kinds."""
        return np.where(self.kind == PAIR, self.count - self.of_parts, 0)


class Holding:
    """Population to the lines that it is in, in their order."""

    def __init__(self, lines: Lines, populations: int):
        numbers, none = np.arange(len(lines)), np.zeros(len(lines), np.int64)
        population = np.concatenate([lines.total, lines.part])
        line = np.concatenate([numbers, np.repeat(numbers, np.diff(lines.start))])
        order = np.lexsort((line, population))
        self._start = np.searchsorted(population[order], np.arange(populations + 1)).tolist()
        self._line, self._is_total = line[order], order < len(lines)
        self._count = np.concatenate([none, lines.of_part])[order]

    def of(self, population: int) -> tuple[list[int], list[bool], list[int]]:
        """Its lines, whether it is the total of each, and its count where it is a part."""
        here = slice(self._start[population], self._start[population + 1])
        return self._line[here].tolist(), self._is_total[here].tolist(), self._count[here].tolist()


class _Parts(NamedTuple):
    """A kind, the total of each part, and the part."""

    kind: int
    total: Numbers
    part: Numbers


def lines_of(
    counts: Mapping[str, Counted],
    populations: Populations,
    races: Iterable[str],
    needs: Iterable[str],
    *,
    pairs: bool,
) -> Lines:
    """Every line. `needs`: groups within High Needs; `pairs`: whether complements count."""
    columns: list[tuple[Numbers, ...]] = []
    for number, (_, counted) in enumerate(sorted(counts.items())):
        of = np.zeros(len(populations), np.int64)
        of[counted.populations] = counted.counts
        parts = list(_parts(np.flatnonzero(of), of, populations, frozenset(races), frozenset(needs), pairs=pairs))
        kind = np.concatenate([np.full(len(p.part), p.kind, np.int64) for p in parts])
        total = np.concatenate([p.total for p in parts])
        part = np.concatenate([p.part for p in parts])
        deep = populations.depth[populations.place_of(total)]
        order = np.lexsort((part, total, kind, -deep))
        kind, total, part = kind[order], total[order], part[order]
        begins = np.ones(len(part), np.bool_)
        begins[1:] = (kind[1:] == PAIR) | (kind[1:] != kind[:-1]) | (total[1:] != total[:-1])
        size = np.diff(np.append(np.flatnonzero(begins), len(part)))
        kind, total = kind[begins], total[begins]
        columns.append((np.full(len(kind), number), kind, total, of[total], size, part, of[part]))
    if not columns:
        none = np.empty(0, np.int64)
        return Lines(none, none, none, none, np.zeros(1, np.int64), none, none)
    measure, kind, total, count, size, part, of_part = (np.concatenate(c) for c in zip(*columns, strict=True))
    return Lines(measure, kind, total, count, np.concatenate(([0], np.cumsum(size))), part, of_part)


def _parts(
    there: Numbers,
    of: Numbers,
    populations: Populations,
    races: frozenset[str],
    needs: frozenset[str],
    *,
    pairs: bool,
) -> Iterator[_Parts]:
    """Every part of every line of a measure. `there`: populations with a count; `of`: count of every population."""
    above = populations.one_above(there)
    yield _Parts(PLACES, above[above >= 0], there[above >= 0])
    is_race = populations.are_in(there, races)
    everyone = populations.of_group(there, ALL_STUDENTS)
    yield _Parts(GROUPS, everyone[is_race], there[is_race])
    if pairs:
        is_part = ~is_race & ~populations.are_in(there, [ALL_STUDENTS]) & (of[everyone] > 0)
        yield _Parts(PAIR, everyone[is_part], there[is_part])
        needy = populations.of_group(there, HIGH_NEEDS)
        is_part = populations.are_in(there, needs) & (of[needy] > 0)
        yield _Parts(PAIR, needy[is_part], there[is_part])
