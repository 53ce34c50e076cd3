"""Whole-number problems of districts and Leads, and levelling an assignment by moving and swapping districts.

Belongs here: a good assignment fast, always the same one. Does not: whether it is the best (`optimum`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Assignment = dict[int, int]
"""District to Lead, both by position; a district without a Lead is absent."""


@dataclass(frozen=True)
class Problem:
    """Districts and Leads of one region by position. `current`: pairs (district, Lead) that exist so far."""

    loads: tuple[int, ...]
    rooms: tuple[int, ...]
    current: frozenset[tuple[int, int]] = frozenset()
    minimum: int = 1

    @property
    def least(self) -> int:
        """Smallest caseload of every Lead: the minimum where there are districts enough."""
        return self.minimum if len(self.loads) >= self.minimum * len(self.rooms) else 0

    @property
    def most(self) -> tuple[int, ...]:
        """Largest caseload of each Lead: one where some must be idle, so that as few as can be are."""
        return self.rooms if self.least or not self.minimum else tuple(min(1, room) for room in self.rooms)


def loads_of(problem: Problem, found: Mapping[int, int]) -> list[int]:
    """Load of each Lead."""
    loads = [0] * len(problem.rooms)
    for district, lead in found.items():
        loads[lead] += problem.loads[district]
    return loads


def place(problem: Problem, found: Assignment, kept: frozenset[tuple[int, int]]) -> Assignment:
    """The same districts placed anew, the largest first, each with the Lead who has the lightest load; `kept` stays."""
    out = dict(kept)
    loads, counts = loads_of(problem, out), _counts(problem, out)
    waiting = sorted(found.keys() - out.keys(), key=lambda d: (-problem.loads[d], d))
    for n, district in enumerate(waiting):
        lacking = [max(0, problem.least - count) for count in counts]
        must = sum(lacking) >= len(waiting) - n  # the rest is just enough to leave nobody idle
        open_leads = [lead for lead, most in enumerate(problem.most) if counts[lead] < most]
        able = [lead for lead in open_leads if lacking[lead]] if must else open_leads
        lead = min(able, key=lambda one: (loads[one], one))
        out[district] = lead
        loads[lead] += problem.loads[district]
        counts[lead] += 1
    return out


def level(problem: Problem, found: Assignment) -> Assignment:
    """Move and swap districts between two Leads while that brings their loads nearer and keeps as many relationships.

    Each step lessens the sum of squared loads, a whole number, so it ends; it never raises the largest load nor lowers
    the smallest.
    """
    out = dict(found)
    loads, counts = loads_of(problem, out), _counts(problem, out)
    of_lead: list[list[int]] = [[] for _ in problem.rooms]
    for district, lead in sorted(out.items()):
        of_lead[lead].append(district)
    moved = True
    while moved:
        moved = False
        order = sorted(range(len(loads)), key=lambda lead: (-loads[lead], lead))
        for heavy in order:
            for light in reversed(order):
                step = _best_step(problem, heavy, light, loads, counts, of_lead)
                if step is None:
                    continue
                moved = True
                for district, source, target in step:
                    of_lead[source].remove(district)
                    of_lead[target].append(district)
                    loads[source] -= problem.loads[district]
                    loads[target] += problem.loads[district]
                    counts[source] -= 1
                    counts[target] += 1
                    out[district] = target
    return out


def in_fixed_order(problem: Problem, found: Assignment) -> Assignment:
    """The same assignment with interchangeable Leads (same room, nobody served so far) in order of their districts."""
    taken = {lead for _, lead in problem.current}
    out = dict(found)
    for room in sorted(set(problem.rooms)):
        alike = [n for n, other in enumerate(problem.rooms) if other == room and n not in taken]
        bundles = sorted(sorted(d for d, lead in found.items() if lead == n) for n in alike)
        bundles = [*(b for b in bundles if b), *(b for b in bundles if not b)]
        out |= {district: lead for lead, bundle in zip(alike, bundles, strict=True) for district in bundle}
    return dict(sorted(out.items()))


def _counts(problem: Problem, found: Mapping[int, int]) -> list[int]:
    counts = [0] * len(problem.rooms)
    for lead in found.values():
        counts[lead] += 1
    return counts


def _best_step(
    problem: Problem, heavy: int, light: int, loads: list[int], counts: list[int], of_lead: list[list[int]]
) -> list[tuple[int, int, int]] | None:
    """The move or swap that brings two loads nearest to each other, or None where none does."""
    between = loads[heavy] - loads[light]
    if between < 2:
        return None
    best: tuple[int, list[tuple[int, int, int]]] | None = None
    may_move = counts[heavy] > problem.least and counts[light] < problem.most[light]
    for district in of_lead[heavy]:
        own = problem.loads[district]
        steps = [(own, [(district, heavy, light)])] if may_move else []
        steps += [
            (own - problem.loads[other], [(district, heavy, light), (other, light, heavy)]) for other in of_lead[light]
        ]
        for shift, step in steps:
            nearer = 0 < shift < between and (best is None or abs(between - 2 * shift) < best[0])
            if nearer and _kept_more(problem, step) >= 0:
                best = abs(between - 2 * shift), step
    return best[1] if best else None


def _kept_more(problem: Problem, step: list[tuple[int, int, int]]) -> int:
    """Relationships that a step adds, less those it ends."""
    return sum(((d, target) in problem.current) - ((d, source) in problem.current) for d, source, target in step)
