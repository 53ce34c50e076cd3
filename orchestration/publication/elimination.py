"""What can be worked out from sums: which unknowns of a set of linear equations have one solution only.

Belongs here: arithmetic. Does not: what an unknown is. The answer rests on a change that leaves every equation as it
is: an unknown that such a change moves is not determined. The change is drawn at random among all of them, modulo a
prime: that one which can move is seen to stand still is less likely than 1 in 10^18, and would only withhold more. The
other error, an unknown fixed by fractions but not modulo the prime, would need a coefficient that the prime divides;
an unknown counts as determined when either of two primes says so.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from random import Random

PRIMES = (2**61 - 1, 2**89 - 1)
Row = dict[Hashable, int]
"""Unknown to coefficient; the known side does not matter."""


def determined(rows: Iterable[Row], depth: Callable[[Hashable], int]) -> set[Hashable]:
    """Unknowns with one solution. `depth` only decides the order of work: deepest unknowns are eliminated first."""
    rows = [row for row in rows if row]
    shared = Counter(unknown for row in rows for unknown in row)
    rank = {unknown: (-depth(unknown), shared[unknown], place) for place, unknown in enumerate(shared)}
    return set().union(*(_unmoved(rows, rank, prime) for prime in PRIMES))


def _unmoved(rows: list[Row], rank: dict[Hashable, tuple[int, int, int]], prime: int) -> set[Hashable]:
    """Unknowns that a random change, drawn among those that keep every equation, leaves where they are."""
    solved: list[tuple[Hashable, Row]] = []  # each equation as: unknown = sum of later ones
    place: dict[Hashable, int] = {}
    for row in rows:
        left = _reduced(row, solved, place, prime)
        if not left:
            continue
        pivot = min(left, key=rank.__getitem__)
        inverse = -pow(left.pop(pivot), -1, prime)
        place[pivot] = len(solved)
        solved.append((pivot, {unknown: value * inverse % prime for unknown, value in left.items()}))
    random = Random(prime)  # noqa: S311 - a fixed draw: the same release twice is the same public variant
    change = {unknown: random.randrange(1, prime) for unknown in rank if unknown not in place}
    for pivot, others in reversed(solved):
        change[pivot] = sum(value * change[unknown] for unknown, value in others.items()) % prime
    return {unknown for unknown, value in change.items() if value == 0}


def _reduced(row: Row, solved: list[tuple[Hashable, Row]], place: dict[Hashable, int], prime: int) -> Row:
    """A row without the unknowns that are solved already, in the order in which they were."""
    left = dict(row)
    waiting = [place[unknown] for unknown in left if unknown in place]
    heapq.heapify(waiting)
    while waiting:
        pivot, others = solved[heapq.heappop(waiting)]
        times = left.pop(pivot, 0)
        if not times:
            continue
        for unknown, value in others.items():
            if unknown not in left and unknown in place:
                heapq.heappush(waiting, place[unknown])
            left[unknown] = (left.get(unknown, 0) + times * value) % prime
            if left[unknown] == 0:
                del left[unknown]
    return left
