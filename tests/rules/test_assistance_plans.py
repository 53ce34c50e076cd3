"""Plans, leadership and equity by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.assistance.assisting import Assisted, assist
from orchestration.assistance.equity import gini
from orchestration.assistance.plans import CLAIM
from orchestration.assistance.reading import Inputs, PlanLine, StaffRow
from tests.support import assistance as made


def line(**values: Any) -> PlanLine:
    """A complete line for a school that has a claim."""
    complete: dict[str, Any] = {
        "plan_id": "1",
        "district_code": "50010000",
        "school_code": "50010001",
        "staff_id": "A",
        "agreed_on": date(2024, 9, 1),
        "support": "coaching",
        "unit": "hours",
        "planned": Decimal("10.0"),
        "delivered": Decimal("4.0"),
        "status": "active",
    }
    return PlanLine(**(complete | values))


def assisted(*plans: PlanLine, staff: list[StaffRow] | None = None) -> Assisted:
    """Districts 5001 and 5002 with claims in both years, 5003 without any; A serves the first, nobody the second."""
    schools = {"50010001": (4, 8), "50010002": (9, 2), "50020001": (7, 7), "50030001": (60, 50), "50010003": (30, 10)}
    organisations = [made.organisation(code) for code in sorted({*schools, *(f"{code[:4]}0000" for code in schools)})]
    now, before = (
        made.tables(organisations, [made.determination(c, percentile=p[n]) for c, p in schools.items()], 2025 - n)
        for n in (0, 1)
    )
    ledger = made.lead("A", "50010000") if staff is None else staff
    return assist(Inputs(now, before, tuple(ledger), plans), made.BOTH, made.CROSSWALK)


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        ({}, ()),
        ({"school_code": None}, ()),
        ({"status": "planned", "delivered": None, "agreed_on": None}, ()),
        ({"status": "cancelled", "delivered": None, "agreed_on": None}, ()),
        ({"agreed_on": None}, ("agreed",)),
        ({"agreed_on": date(2024, 6, 30)}, ("agreed_in_year",)),
        ({"agreed_on": date(2024, 7, 1)}, ()),
        ({"agreed_on": date(2025, 6, 30)}, ()),
        ({"agreed_on": date(2025, 7, 1)}, ("agreed_in_year",)),
        ({"delivered": None}, ("amounts_of_status",)),
        ({"status": "planned"}, ("amounts_of_status",)),
        ({"planned": Decimal("0.0"), "delivered": Decimal("0.0")}, ("amounts_of_status",)),
        ({"delivered": Decimal("10.0")}, ()),
        ({"delivered": Decimal("10.1")}, ("delivered_within_plan",)),
        ({"school_code": "50020001"}, ("school_of_district",)),
        ({"school_code": "50999999"}, ("school_of_district",)),
        ({"district_code": "50030000", "school_code": None}, ("district_has_a_claim", "lead_of_district")),
        ({"district_code": "50020000", "school_code": None}, ("lead_of_district",)),
        ({"staff_id": "Z"}, ("lead_known",)),
        ({"agreed_on": None, "delivered": Decimal("11.0"), "staff_id": "Z"},
         ("agreed", "delivered_within_plan", "lead_known")),
    ],
)  # fmt: skip
def test_what_a_line_fails(values: dict[str, Any], problems: tuple[str, ...]) -> None:
    assert [one.problems for one in assisted(line(**values)).lines] == [problems]


def test_a_lead_who_left_during_the_year_is_known_one_who_left_before_is_not() -> None:
    for last_day, problems in ((date(2024, 7, 1), ()), (date(2024, 6, 30), ("lead_known",))):
        staff = made.lead("A", "50010000", active_until=last_day)
        assert assisted(line(), staff=staff).lines[0].problems == problems


def test_the_review_counts_schools_once_and_claims_nothing() -> None:
    done = assisted(
        line(plan_id="1"),
        line(plan_id="2", unit="days", planned=Decimal("3.0"), delivered=Decimal("3.0"), status="done"),
        line(plan_id="3", school_code="50010002"),
        line(plan_id="4", school_code="50010003"),
        line(plan_id="5", school_code=None, delivered=None),
        line(plan_id="6", school_code="50020001", district_code="50020000", status="cancelled"),
        line(plan_id="7", support="data"),
    )
    coaching = next(row for row in done.review if row.support == "coaching")
    assert (coaching.lines, coaching.lines_with_problems, coaching.districts, coaching.schools) == (5, 1, 1, 3)
    assert coaching.planned == {"hours": Decimal("40.0"), "days": Decimal("3.0")}
    assert coaching.delivered == {"hours": Decimal("12.0"), "days": Decimal("3.0")}
    assert coaching.movements == {"fell": 1, "rose": 2, "same": 0, "unknown": 0}, "4 after 8, 9 after 2, 30 after 10"
    assert coaching.changes == {"entered": 0, "continuing": 2, "exited": 1}
    assert [row.support for row in done.review] == list(made.RULES.plans.supports)
    assert sum(row.lines for row in done.review) == 6
    assert done.without_plan == ("50020000",)
    assert "do not say that a support caused it" in CLAIM


def test_leadership() -> None:
    directors = [
        *made.lead("C2", role="co_director", capacity=0),
        *made.lead("C1", role="co_director", capacity=0),
        *made.lead("C0", role="co_director", capacity=0, active_until=date(2025, 1, 1)),
        *made.lead("C3", role="co_director", capacity=0, region="West/Central"),
    ]
    leads = made.lead("A", "50010000") + made.lead("B")
    teams = {team.region: team for team in assisted(staff=directors + leads).teams}
    coastal = teams["Coastal"]
    assert (coastal.co_directors, coastal.lacking) == (("C1", "C2"), 0)
    assert (coastal.leads, coastal.leads_each, coastal.room, coastal.districts, coastal.schools) == (
        2, Decimal("1.0"), 6, 2, 3,
    )  # fmt: skip
    assert (coastal.enrolment, coastal.high_needs, coastal.load) == (1500, 900, Decimal("5.4"))
    assert (teams["West/Central"].co_directors, teams["West/Central"].lacking) == (("C3",), 1)
    assert (teams["Strategic Transformation"].wanted, teams["Strategic Transformation"].lacking) == (0, 0)


def test_equity_before_and_after() -> None:
    """Loads 3.6 and 1.8. Before: A has 3.6, B nothing, the second district nobody. After: 3.6 and 1.8."""
    found = assisted(staff=made.lead("A", "50010000") + made.lead("B")).equity
    spreads = {(s.moment, s.scope, s.region): s for s in found.spreads}
    before, after = spreads["before", "all leads", "Coastal"], spreads["after", "all leads", "Coastal"]
    assert (before.gini, before.ratio, len(before.without)) == (Decimal("0.500"), None, 1)
    assert (after.gini, after.ratio, len(after.without)) == (Decimal("0.167"), Decimal("2.00"), 0)
    offices = {share.name: share for share in found.shares if share.scope == "office"}
    assert offices["ODST"].load_per_lead == Decimal("3.6"), "both are among the eight with the most high needs students"
    assert offices["Coastal"].load_per_lead == Decimal("2.7")


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=12))
def test_gini_is_the_mean_difference_of_all_pairs(loads: list[int]) -> None:
    found = gini([Fraction(load) for load in loads])
    if not sum(loads):
        assert found is None
        return
    pairs = sum(abs(one - other) for one in loads for other in loads)
    assert found == Fraction(pairs, 2 * len(loads) * sum(loads))
    assert 0 <= found < 1
