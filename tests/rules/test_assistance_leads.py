"""The assignment of Assistance Leads: what always holds, what happens where Leads are missing, who is at work."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from orchestration.assistance.eligibility import Eligible, eligible
from orchestration.assistance.leads import Caseload, RegionPlan, assign, caseloads, leads_at_work
from orchestration.assistance.levelling import Problem, loads_of
from orchestration.assistance.optimum import solve
from orchestration.assistance.reading import StaffRow
from orchestration.errors import InputError
from tests.support import assistance as made

DAY = made.RULES.active_on


def caseload(code: str, load: str, region: str = "Coastal") -> Caseload:
    return Caseload(region, code, f"Org {code}", (f"{code[:4]}0001",), 500, 300, Decimal(load))


def plan_of(districts: list[Caseload], staff: list[StaffRow], region: str = "Coastal") -> RegionPlan:
    plans = assign(districts, leads_at_work(staff, DAY, made.RULES), made.RULES)
    return next(plan for plan in plans if plan.region == region)


def problem(seed: int, districts: int, leads: int, kept: float) -> Problem:
    rng = random.Random(seed)
    rooms = tuple(3 for _ in range(leads))
    loads = tuple(rng.randint(5, 120) for _ in range(districts))
    room = list(rooms)
    current = set()
    for d in range(districts):
        free = [lead for lead in range(leads) if room[lead]]
        if free and rng.random() < kept:
            lead = rng.choice(free)
            room[lead] -= 1
            current.add((d, lead))
    return Problem(loads, rooms, frozenset(current))


@pytest.mark.parametrize("seed", range(40))
def test_what_always_holds(seed: int) -> None:
    rng = random.Random(1000 + seed)
    leads = rng.randint(1, 9)
    given = problem(seed, rng.randint(1, 3 * leads), leads, rng.choice([0, 0.3, 0.9]))
    found, stages = solve(given, made.RULES.leads)
    counts = [sum(lead == n for lead in found.values()) for n in range(leads)]
    assert len(found) == len(given.loads), "there is room for all"
    assert max(counts) <= made.RULES.leads.maximum
    assert not (0 in counts and max(counts) > 1), "nobody is idle while another has more than one"
    assert sum(count == 0 for count in counts) == max(0, leads - len(given.loads))
    for stage in stages:
        assert (stage.status == "optimal") == stage.is_proven
        assert stage.gap == 0 or stage.status != "optimal"
        if stage.objective == "maximal_load":
            assert stage.bound <= stage.value == max(loads_of(given, found))
        elif stage.objective == "minimal_load":
            assert stage.bound >= stage.value == min(loads_of(given, found))


@pytest.mark.parametrize("seed", range(30))
def test_another_lead_never_raises_the_largest_load(seed: int) -> None:
    rng = random.Random(seed)
    leads = rng.randint(1, 4)
    given = problem(seed, rng.randint(1, min(8, 3 * leads)), leads, rng.choice([0, 0.5, 1]))
    more = Problem(given.loads, (*given.rooms, 3), given.current)
    before, stages = solve(given, made.RULES.leads)
    after, more_stages = solve(more, made.RULES.leads)
    assert all(stage.is_proven for stage in (*stages, *more_stages) if stage.objective == "maximal_load")
    assert max(loads_of(more, after)) <= max(loads_of(given, before))


def test_relationships_come_before_balance() -> None:
    districts = [caseload("50010000", "9.0"), caseload("50020000", "8.0"), caseload("50030000", "1.0")]
    staff = made.lead("A", "50010000", "50020000") + made.lead("B", "50030000")
    assert plan_of(districts, staff).lead_of == {"50010000": "A", "50020000": "A", "50030000": "B"}


def test_a_new_lead_takes_over_a_district_rather_than_stay_idle() -> None:
    districts = [caseload("50010000", "9.0"), caseload("50020000", "8.0"), caseload("50030000", "1.0")]
    plan = plan_of(districts, made.lead("A", "50010000", "50020000", "50030000") + made.lead("B"))
    assert plan.lead_of == {"50010000": "B", "50020000": "A", "50030000": "A"}, "the largest load moves: 9 and 9"


def test_missing_leads_are_counted_and_the_neediest_served_first() -> None:
    districts = [caseload(f"50{n:02d}0000", f"{n}.0") for n in range(1, 9)]
    plan = plan_of(districts, made.lead("A", "50010000", capacity=2) + made.lead("B", capacity=5))
    assert plan.lead_of["50010000"] == "A", "a relationship is kept before a heavier district gets a Lead"
    assert set(plan.lead_of) == {"50010000", "50050000", "50060000", "50070000", "50080000"}
    assert plan.leads_missing == 1
    assert plan.statement == (
        "Coastal: 8 districts, 2 Leads with room for 5; 1 more Lead is needed; without a Lead: "
        "50020000 Org 50020000, 50030000 Org 50030000, 50040000 Org 50040000"
    )


def test_a_region_without_any_lead_says_so() -> None:
    plan = plan_of([caseload(f"50{n:02d}0000", "1.0") for n in range(1, 5)], made.lead("A", region="West/Central"))
    assert (plan.lead_of, plan.leads_missing, len(plan.without)) == ({}, 2, 4)
    assert "0 Leads with room for 0; 2 more Leads are needed" in plan.statement


def test_no_district_needs_a_lead() -> None:
    plan = plan_of([], made.lead("A"))
    assert (plan.lead_of, plan.leads_missing, plan.stages) == ({}, 0, ())
    assert plan.statement == "Coastal: 0 districts, 1 Lead; every district has a Lead"


def test_a_lead_who_left_serves_nobody_and_one_who_will_leave_is_named() -> None:
    districts = [caseload("50010000", "2.0"), caseload("50020000", "1.0")]
    left = made.lead("A", "50010000", active_until=date(DAY.year, DAY.month, DAY.day - 1))
    leaving = made.lead("B", "50020000", active_until=date(DAY.year + 1, 1, 31))
    plan = plan_of(districts, left + leaving)
    assert plan.lead_of == {"50010000": "B", "50020000": "B"}
    assert plan.leads[0].leaves_on == date(DAY.year + 1, 1, 31)
    later = leads_at_work(left + leaving, date(DAY.year + 1, 2, 1), made.RULES)
    assert assign(districts, later, made.RULES)[0].leads_missing == 1, (
        "after the Lead has left in the middle of the year"
    )


@pytest.mark.parametrize(
    ("staff", "fragment"),
    [
        (
            made.lead("A", "50010000") + made.lead("A", "50020000", capacity=2),
            "A: rows in force on .* differ in capacity",
        ),
        (made.lead("A", "50010000") + made.lead("A", "50020000", region="West/Central"), "differ in region"),
        (made.lead("A", region="Northern"), "region 'Northern' is not a region"),
        (made.lead("A", "50010000") + made.lead("B", "50010000"), "served by both A and B in Coastal"),
    ],
)
def test_a_staff_ledger_that_contradicts_itself_is_named(staff: list[StaffRow], fragment: str) -> None:
    with pytest.raises(InputError, match=f"assistance_staff: .*{fragment}"):
        leads_at_work(staff, DAY, made.RULES)


def test_a_school_under_a_receiver_in_another_district_is_served_by_its_own_region() -> None:
    rows: dict[str, Any] = {
        "50010000": {},
        "50010001": {"reason": made.FOCUSED, "percentile": 4},
        "50010002": {"reason": made.BROAD, "percentile": 1, "designations": "receivership"},
    }
    state = made.tables(
        (made.organisation(code) for code in rows), (made.determination(c, **v) for c, v in rows.items())
    )
    found: list[Eligible] = eligible(state, None, made.RULES, None, made.CROSSWALK)
    loads = {d.key: (d.schools, d.load) for d in caseloads(found, None, made.RULES)}
    assert loads == {
        ("Coastal", "50010000"): (("50010001",), Decimal("1.8")),
        ("Strategic Transformation", "50010000"): (("50010002",), Decimal("1.8")),
    }


def test_the_load_of_a_district_is_rounded_once() -> None:
    """1 school, 125 students, 75 with high needs: 1 + 0.125 + 0.075 = 1.2; 126 and 124 make 1.25, kept as 1.3."""
    for enrolment, high_needs, expected in ((125, 75, "1.2"), (126, 124, "1.3"), (125, 124, "1.2")):
        state = made.tables(
            [made.organisation("50010000"), made.organisation("50010001", enrolment=enrolment, high_needs=high_needs)],
            [made.determination("50010001", percentile=10)],
        )
        found = eligible(state, None, made.RULES, None, made.CROSSWALK)
        assert [d.load for d in caseloads(found, None, made.RULES)] == [Decimal(expected)]
