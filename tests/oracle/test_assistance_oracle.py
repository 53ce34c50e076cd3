"""Eligibility and the assignment agree with a second computation: made-up states, and every small assignment."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.assistance.eligibility import eligible
from orchestration.assistance.levelling import Problem, loads_of
from orchestration.assistance.optimum import solve
from orchestration.assistance.reading import Organisation, YearTables
from tests.oracle import assistance_oracle as oracle
from tests.support import assistance as made

REASONS = [
    (None, None),
    ("Insufficient data", "Insufficient data"),
    ("Not requiring assistance or intervention", "Moderate progress toward targets"),
    (oracle.REQUIRING, oracle.FOCUSED),
    (oracle.REQUIRING, oracle.BROAD),
    (oracle.REQUIRING, None),
]
DESIGNATIONS = [
    None,
    None,
    None,
    "underperforming",
    "chronically_underperforming",
    "receivership",
    "chronically_underperforming; receivership",
]


@st.composite
def states(draw: st.DrawFn) -> tuple[YearTables, YearTables | None, int]:
    """A state of some districts in a year, and the same with openings and closings a year before, or no year before."""
    year = draw(st.sampled_from([2018, 2019, 2023, 2025]))
    counties = sorted(oracle.EASTERN | oracle.WESTERN)
    every: list[Organisation] = []
    for number in range(draw(st.integers(1, 5))):
        county = f"{draw(st.sampled_from(counties))} County"
        schools = draw(st.integers(1, 4))
        codes = [f"{5000 + number}{n:04d}" for n in range(schools + 1)]
        every += [made.organisation(code, county=county) for code in codes]

    def one_year(of_year: int) -> YearTables:
        kept = [row for row in every if row.org_type == "district" or draw(st.integers(0, 6))]
        rows = []
        for row in kept:
            overall, reason = draw(st.sampled_from(REASONS))
            percentile = draw(st.none() | st.integers(1, 99) | st.integers(9, 12))
            rows.append(
                made.determination(
                    row.org_code,
                    percentile=percentile if row.org_type == "school" else None,
                    overall_classification=overall,
                    reason=reason,
                    designations=draw(st.sampled_from(DESIGNATIONS)),
                )
            )
        return made.tables(kept, rows, of_year)

    prior = made.rules(year).prior_year
    return one_year(year), one_year(prior) if prior and draw(st.booleans()) else None, year


def plain(tables: YearTables) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    return (
        [row._asdict() for row in tables.organisations.values()],
        [row._asdict() for row in tables.determinations.values()],
    )


@settings(max_examples=150, deadline=None)
@given(states())
def test_eligibility_agrees(state: tuple[YearTables, YearTables | None, int]) -> None:
    now, prior, year = state
    rules = made.rules(year)
    prior_rules = made.rules(prior.year) if prior else None
    found = eligible(now, prior, rules, prior_rules, made.load_crosswalk(made.POLICY, rules))
    expected = oracle.grounds(*plain(now))
    before = oracle.grounds(*plain(prior)) if prior else None
    assert [row.org_code for row in found] == sorted(expected.keys() | (before or {}).keys())
    for row in found:
        code = row.org_code
        assert set(row.grounds) == expected.get(code, set())
        assert set(row.prior_grounds) == (before or {}).get(code, set())
        assert row.change == oracle.change(expected, before, code)
        here = now if code in now.organisations else prior
        assert here is not None
        assert row.region == oracle.region(here.organisations[code]._asdict(), plain(here)[1])
        is_district = row.organisation.org_type == "district"
        assert row.needs_lead == (is_district and oracle.needs_lead(expected.get(code, set()), year))


def problem_of(seed: int) -> Problem:
    """Up to six districts and four Leads, loads often alike, relationships within and beyond what there is room for."""
    rng = random.Random(seed)
    districts, leads = rng.randint(1, 6), rng.randint(1, 4)
    rooms = tuple(rng.choice([1, 2, 3, 3]) for _ in range(leads))
    loads = tuple(rng.choice([0, 7, 10, 10, rng.randint(1, 60)]) for _ in range(districts))
    served = [rng.randrange(leads) if rng.random() < 0.6 else None for _ in range(districts)]
    return Problem(loads, rooms, frozenset((d, lead) for d, lead in enumerate(served) if lead is not None))


def figures(problem: Problem, found: dict[int, int]) -> tuple[int, ...]:
    loads = loads_of(problem, found)
    enough = len(problem.loads) >= len(problem.rooms)
    kept = sum(pair in problem.current for pair in found.items())
    return len(found), kept, sum(loads), -max(loads), min(loads) if enough else 0


@pytest.mark.parametrize("batch", range(10))
def test_the_assignment_is_as_good_as_the_best_of_all(batch: int) -> None:
    for seed in range(batch * 20, batch * 20 + 20):
        problem = problem_of(seed)
        found, stages = solve(problem, made.RULES.leads)
        expected, _ = oracle.best(problem.loads, problem.rooms, problem.current)
        assert figures(problem, found) == expected, problem
        assert all(stage.is_proven and stage.status == "optimal" for stage in stages), (problem, stages)
        reached = {stage.objective: stage.value for stage in stages}
        named = ("districts_served", "relationships_kept", "load_served", "maximal_load")
        assert [reached[name] for name in named] == [*expected[:3], -expected[3]]


def test_problems_cover_what_they_should() -> None:
    """Too little room, more Leads than districts, relationships beyond room, and ordinary cases."""
    problems = [problem_of(seed) for seed in range(200)]
    assert sum(len(p.loads) > sum(p.rooms) for p in problems) >= 10
    assert sum(len(p.loads) < len(p.rooms) for p in problems) >= 10
    over = [
        p for p in problems if any(sum(n == lead for _, n in p.current) > p.rooms[lead] for lead in range(len(p.rooms)))
    ]
    assert len(over) >= 10
    assert sum(not p.current for p in problems) >= 5
