"""Co-Directors of each region and what they lead.

Belongs here: who leads, the span of each team, whether the team is complete. Does not: the assignment.
Source: Board memorandum of 2018-05-09: two-person leadership teams for the Coastal and West/Central regions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from orchestration.assistance.assistance_rules import AssistanceRules
from orchestration.assistance.leads import CO_DIRECTOR, RegionPlan
from orchestration.assistance.reading import StaffRow
from orchestration.exact import half_up


@dataclass(frozen=True)
class Team:
    """The Co-Directors of a region and their span. `wanted`: how many the policy names; `lacking`: how many fewer."""

    region: str
    co_directors: tuple[str, ...]
    wanted: int
    leads: int
    room: int
    districts: int
    schools: int
    enrolment: int
    high_needs: int
    load: Decimal
    leads_missing: int

    @property
    def lacking(self) -> int:
        return max(0, self.wanted - len(self.co_directors))

    @property
    def leads_each(self) -> Decimal | None:
        """Leads for each Co-Director, one decimal."""
        return half_up(Fraction(self.leads, len(self.co_directors)), 1) if self.co_directors else None


def teams(
    plans: Sequence[RegionPlan], staff: Iterable[StaffRow], day: date, rules: AssistanceRules
) -> tuple[Team, ...]:
    """The team of every region, in the policy's order."""
    directors = sorted({(row.region, row.staff_id) for row in staff if row.role == CO_DIRECTOR and row.active(day)})
    by_region = {plan.region: plan for plan in plans}
    out = []
    for region in rules.regions:
        plan = by_region.get(region) or RegionPlan(region, (), (), {}, (), 0)
        out.append(
            Team(
                region=region,
                co_directors=tuple(staff_id for place, staff_id in directors if place == region),
                wanted=rules.co_directors[region],
                leads=len(plan.leads),
                room=sum(lead.room for lead in plan.leads),
                districts=len(plan.districts),
                schools=sum(len(d.schools) for d in plan.districts),
                enrolment=sum(d.enrolment for d in plan.districts),
                high_needs=sum(d.high_needs for d in plan.districts),
                load=sum((d.load for d in plan.districts), Decimal(0)),
                leads_missing=plan.leads_missing,
            )
        )
    return tuple(out)
