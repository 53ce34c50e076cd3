"""The best assignment of districts to the Leads of one region: a mixed-integer program, solved objective by objective.

Belongs here: the mathematics, on whole numbers. Does not: what a load is made of, or who is a Lead.

x[d, l] = 1 when Lead l serves district d. Each district has at most one Lead, each Lead at most the districts there is
room for, and no Lead is idle as long as there are districts enough (`minimum`); with fewer districts than Leads each
district has a Lead of its own. The objectives are reached one after the other, in the policy's order; what one
has reached binds the next:

- districts_served: by counting; relationships_kept, load_served: sums over pairs, by HiGHS (scipy.optimize.milp);
- maximal_load down, minimal_load up: a start by placing the largest first and then moving and swapping while that
  levels loads; a bound by counting; where the two differ HiGHS closes the gap. Both bounds count: a value that equals
  a bound is proven.

Nothing here looks at a clock: HiGHS stops after a number of nodes, and is not asked where more pairs are open than the
policy says. What is left is the gap, which is reported. Equal inputs give equal assignments.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from orchestration.assistance.assistance_rules import BALANCING, SERVING, LeadRules
from orchestration.assistance.levelling import Assignment, Problem, in_fixed_order, level, loads_of, place
from orchestration.exact import half_up

Pairs = dict[tuple[int, int], int]
"""Whole-number weight of (district, Lead)."""
SURE = 1e-6
"""What HiGHS may be off by; every figure it returns stands for a whole number."""


@dataclass(frozen=True)
class Stage:
    """One objective: the value reached, the best that could be reached, and who proved it.

    `status`: optimal, or the limit that stopped the search. Loads are in tenths.
    """

    objective: str
    value: int
    bound: int
    status: str

    @property
    def is_proven(self) -> bool:
        return self.value == self.bound

    @property
    def gap(self) -> Decimal:
        """Distance to the bound as a share of the value, three decimals."""
        return half_up(Fraction(abs(self.value - self.bound), max(1, abs(self.value))), 3)


def solve(problem: Problem, rules: LeadRules) -> tuple[Assignment, tuple[Stage, ...]]:
    """The best assignment and how well each objective was reached."""
    if not problem.loads or not problem.rooms:
        return {}, ()
    program = _Program(problem)
    found: Assignment = {}
    stages = []
    for objective in rules.objectives[: len(SERVING)]:
        if objective == SERVING[0]:  # any Lead may serve any district, so counting is enough
            value = min(len(problem.loads), sum(problem.most))
            program.serve(value)
        else:
            weights = _weights(objective, problem)
            if not found or len(found) < len(problem.loads) or objective != "load_served":
                found = program.maximise(weights)
            value = sum(weights[pair] for pair in found.items())
            program.require(weights, value)
        stages.append(Stage(objective, value, value, "optimal"))
    kept = frozenset(pair for pair in found.items() if pair in problem.current)
    settled = kept if len(kept) == len(problem.current) else frozenset()  # all relationships stand: nothing to choose
    program.fix(settled)
    found = _levelled(problem, found, kept)
    is_settled = len(settled) == len(problem.loads)
    open_choices = max(1, len(problem.loads) - len(kept)) * len(problem.rooms)
    for objective in rules.objectives[len(SERVING) :]:
        if objective == "minimal_load" and not problem.least:
            continue  # some Lead is idle, whatever is done
        value = _reached(objective, problem, found)
        bound = value if is_settled else _bound(objective, problem, found, settled)
        status = "optimal"
        if value != bound and open_choices > rules.open_choices_at_most:
            status = "too many open choices"
        elif value != bound:
            nodes = max(1, rules.node_budget // open_choices)
            better, bound, status = program.balance(objective, value, bound, nodes)
            if better:
                found = _better(problem, found, better)
                value = _reached(objective, problem, found)
        program.hold(objective, value)
        stages.append(Stage(objective, value, bound, status))
    return in_fixed_order(problem, found), tuple(_as_ended(problem, found, stage) for stage in stages)


def _as_ended(problem: Problem, found: Assignment, stage: Stage) -> Stage:
    """The stage with what the assignment reaches in the end: a later step may better a value that was not proven."""
    value = _reached(stage.objective, problem, found) if stage.objective in BALANCING else stage.value
    return replace(stage, value=value, status="optimal" if value == stage.bound else stage.status)


def _weights(objective: str, problem: Problem) -> Pairs:
    pairs = [(d, n) for d in range(len(problem.loads)) for n in range(len(problem.rooms))]
    if objective == "relationships_kept":
        return {pair: int(pair in problem.current) for pair in pairs}
    return {(d, n): problem.loads[d] for d, n in pairs}


def _reached(objective: str, problem: Problem, found: Assignment) -> int:
    loads = loads_of(problem, found)
    return max(loads) if objective == BALANCING[0] else min(loads)


def _levelled(problem: Problem, found: Assignment, kept: frozenset[tuple[int, int]]) -> Assignment:
    """The better of two starts, both levelled: what HiGHS left, and the largest districts placed first."""
    starts = [level(problem, start) for start in (found, place(problem, found, kept))]
    return min(starts, key=lambda start: _evenness(problem, start))


def _better(problem: Problem, found: Assignment, other: Assignment) -> Assignment:
    return min((found, level(problem, other)), key=lambda one: _evenness(problem, one))


def _evenness(problem: Problem, found: Assignment) -> tuple[int, int, int]:
    loads = loads_of(problem, found)
    return max(loads), -min(loads), sum(load * load for load in loads)


def _bound(objective: str, problem: Problem, found: Assignment, settled: frozenset[tuple[int, int]]) -> int:
    """What no assignment of the same districts and relationships can pass, by counting.

    Where some districts are left out, which ones they are may change; then only the load of all served counts, which
    the objectives before have fixed.
    """
    leads = len(problem.rooms)
    total = sum(problem.loads[d] for d in found)
    if len(found) < len(problem.loads):
        return -(-total // leads) if objective == BALANCING[0] else total // leads
    loads = sorted(problem.loads, reverse=True)
    bases = [0] * leads
    for d, n in settled:
        bases[n] += problem.loads[d]
    free = [problem.loads[d] for d in range(len(problem.loads)) if d not in dict(settled)]
    parts = sorted([*(base for base in bases if base), *free], reverse=True)  # no part can be divided
    if objective == BALANCING[0]:
        bounds = [-(-total // leads), max(parts, default=0)]
        for together in range(2, max(problem.most) + 1):  # more districts than Leads: some have to share one
            last = (together - 1) * leads
            if last < len(loads):
                bounds.append(sum(loads[last - together + 1 : last + 1]))
        return max(bounds)
    bounds = []
    rest = total
    for largest in range(min(leads, len(parts))):  # the largest parts fill as many Leads; the others share the rest
        bounds.append(rest // (leads - largest))
        rest -= parts[largest]
    if len(loads) < 2 * leads:  # so many Leads have one district only
        bounds.append(loads[2 * leads - len(loads) - 1])
    counts = [sum(n == lead for _, n in settled) for lead in range(leads)]
    bounds += [bases[n] for n in range(leads) if counts[n] == problem.most[n]]
    return min(bounds)


class _Program:
    """The mixed-integer program of a region: a column a pair, and one for the level that loads are held to."""

    def __init__(self, problem: Problem) -> None:
        from scipy import sparse

        self.problem = problem
        self.leads = len(problem.rooms)
        self.width = len(problem.loads) * self.leads
        one_each = sparse.kron(sparse.eye(len(problem.loads)), np.ones((1, self.leads)))
        of_lead = sparse.kron(np.ones((1, len(problem.loads))), sparse.eye(self.leads))
        self.loads = sparse.kron(np.array([problem.loads], dtype=float), sparse.eye(self.leads))
        self.lower = np.zeros(self.width + 1)
        self.upper = np.ones(self.width + 1)
        self.upper[-1] = max(1, sum(problem.loads))
        self.rows: list[tuple[Any, Any, Any]] = [
            (self._wide(one_each), 0, 1),
            (self._wide(of_lead), problem.least, np.array(problem.most)),
        ]

    def serve(self, districts: int) -> None:
        """So many districts have a Lead."""
        from scipy import sparse

        if districts == len(self.problem.loads):
            self.rows[0] = (self.rows[0][0], 1, 1)
        else:
            self.rows.append((self._wide(sparse.csr_matrix(np.ones((1, self.width)))), districts, districts))

    def maximise(self, weights: Pairs) -> Assignment:
        """The assignment with the largest sum. These have the shape of a transport problem and need no branching."""
        found = self._run(-self._row(weights), 0, None)
        if found.status != 0:
            raise RuntimeError(f"HiGHS: {found.message}")
        return self._assignment(found.x)

    def require(self, weights: Pairs, value: int) -> None:
        """Whatever comes later must reach this sum too."""
        row = self._row(weights)
        if row.any():
            self.rows.append((row.reshape(1, -1), value - 0.5, np.inf))

    def fix(self, pairs: frozenset[tuple[int, int]]) -> None:
        """Settle pairs."""
        for d, n in pairs:
            self.lower[d * self.leads + n] = 1

    def balance(self, objective: str, value: int, bound: int, node_limit: int) -> tuple[Assignment | None, int, str]:
        """A better assignment than `value` if one is found, the best bound known, and what stopped the search."""
        down = objective == BALANCING[0]
        cost = np.zeros(self.width + 1)
        cost[-1] = 1 if down else -1
        self.lower[-1], self.upper[-1] = min(value, bound), max(value, bound)
        found = self._run(cost, node_limit, self._levels(down))
        if found.mip_dual_bound is not None and np.isfinite(found.mip_dual_bound):
            proven = float(found.mip_dual_bound)
            bound = max(bound, int(np.ceil(proven - SURE))) if down else min(bound, int(np.floor(-proven + SURE)))
        status = "optimal" if found.status == 0 else "node limit"
        return (None if found.x is None else self._assignment(found.x)), bound, status

    def hold(self, objective: str, value: int) -> None:
        """No Lead's load may pass what was reached."""
        if objective == BALANCING[0]:
            self.rows.append((self._wide(self.loads), -np.inf, value + 0.5))

    def _levels(self, down: bool) -> tuple[Any, Any, Any]:
        from scipy import sparse

        level = sparse.csr_matrix(-np.ones((self.leads, 1)))
        rows = sparse.hstack([self.loads, level])
        return (rows, -np.inf, 0) if down else (rows, 0, np.inf)

    def _run(self, cost: Any, node_limit: int, levels: tuple[Any, Any, Any] | None) -> Any:
        from scipy.optimize import Bounds, LinearConstraint, milp

        options: dict[str, Any] = {"mip_rel_gap": 0}
        if node_limit:
            options["node_limit"] = node_limit
        rows = [*self.rows, *([levels] if levels else [])]
        integrality = np.ones(self.width + 1)
        integrality[-1] = 0
        return milp(
            cost,
            constraints=[LinearConstraint(*row) for row in rows],
            integrality=integrality,
            bounds=Bounds(self.lower, self.upper),
            options=options,
        )

    def _assignment(self, x: Any) -> Assignment:
        chosen = np.flatnonzero(np.asarray(x)[:-1] > 0.5)
        return {int(place) // self.leads: int(place) % self.leads for place in chosen}

    def _row(self, weights: Pairs) -> Any:
        row = np.zeros(self.width + 1)
        for (d, n), weight in weights.items():
            row[d * self.leads + n] = weight
        return row

    def _wide(self, rows: Any) -> Any:
        """Rows over pairs with an empty column for the level."""
        from scipy import sparse

        return sparse.hstack([rows, sparse.csr_matrix((rows.shape[0], 1))])
