"""How evenly the work is spread: by Lead and by office, as it was and as it is assigned.

Belongs here: sums, the Gini coefficient, the largest over the smallest. Does not: the assignment.
Before is the staff ledger: who serves which district so far, grouped by the office that served it until 2018 (the
Office of District and School Turnaround, a District and School Assistance Center, or direct oversight). After is the
assignment, grouped by region. Both use this year's districts and loads and the same Leads, so that only the
distribution differs. A Lead who serves districts of several former offices counts for each by the share of districts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from orchestration.assistance.assistance_rules import AssistanceRules
from orchestration.assistance.leads import Caseload, Lead, RegionPlan
from orchestration.exact import half_up

BEFORE, AFTER = "before", "after"
LEAD, OFFICE, ALL_LEADS, ALL_OFFICES = "lead", "office", "all leads", "all offices"
UNKNOWN = "no former office known"


@dataclass(frozen=True)
class Share:
    """What a Lead or an office carries; `leads` may be a fraction of one before."""

    moment: str
    scope: str
    name: str
    region: str
    leads: Fraction
    districts: tuple[Caseload, ...]
    without: tuple[Caseload, ...] = ()

    @property
    def load(self) -> Decimal:
        return sum((d.load for d in self.districts), Decimal(0))

    @property
    def load_per_lead(self) -> Decimal | None:
        return half_up(Fraction(self.load) / self.leads, 1) if self.leads else None


@dataclass(frozen=True)
class Spread:
    """Unevenness among Leads (of a region or all) or among offices. `ratio` is None where the smallest is 0."""

    moment: str
    scope: str
    region: str
    of: int
    gini: Decimal | None
    ratio: Decimal | None
    without: tuple[Caseload, ...] = ()


@dataclass(frozen=True)
class Equity:
    """Every share and every spread, before and after."""

    shares: tuple[Share, ...] = ()
    spreads: tuple[Spread, ...] = ()


@dataclass
class _Office:
    leads: Fraction = Fraction(0)
    served: list[Caseload] = field(default_factory=list)
    without: list[Caseload] = field(default_factory=list)


def equity(plans: Sequence[RegionPlan], rules: AssistanceRules) -> Equity:
    """Before and after, for every Lead and office, for each region and altogether."""
    shares: list[Share] = []
    spreads: list[Spread] = []
    for moment in (BEFORE, AFTER):
        leads = [_of_lead(moment, plan, lead) for plan in plans for lead in plan.leads]
        offices = _offices(moment, plans, rules)
        shares += [*leads, *offices]
        for plan in plans:
            own = [share.load for share in leads if share.region == plan.region]
            spreads.append(_spread(moment, ALL_LEADS, plan.region, own, _without(moment, plan)))
        nobody = tuple(d for plan in plans for d in _without(moment, plan))
        spreads.append(_spread(moment, ALL_LEADS, "", [share.load for share in leads], nobody))
        staffed = [Fraction(share.load) / share.leads for share in offices if share.leads]
        spreads.append(_spread(moment, ALL_OFFICES, "", staffed, nobody))
    return Equity(tuple(shares), tuple(spreads))


def gini(values: Iterable[Decimal | Fraction]) -> Fraction | None:
    """Half the mean difference of all pairs over the mean: 0 where all are alike. None where there is nothing."""
    found = sorted(Fraction(value) for value in values)
    total = sum(found)
    if not total:
        return None
    n = len(found)
    return sum(((2 * place - n - 1) * value for place, value in enumerate(found, 1)), Fraction(0)) / (n * total)


def _of_lead(moment: str, plan: RegionPlan, lead: Lead) -> Share:
    own = plan.of(lead.staff_id) if moment == AFTER else _served_so_far(plan, lead)
    return Share(moment, LEAD, lead.staff_id, plan.region, Fraction(1), own)


def _served_so_far(plan: RegionPlan, lead: Lead) -> tuple[Caseload, ...]:
    return tuple(d for d in plan.districts if d.district_code in lead.serves)


def _without(moment: str, plan: RegionPlan) -> tuple[Caseload, ...]:
    if moment == AFTER:
        return plan.without
    served = {code for lead in plan.leads for code in lead.serves}
    return tuple(d for d in plan.districts if d.district_code not in served)


def _offices(moment: str, plans: Sequence[RegionPlan], rules: AssistanceRules) -> list[Share]:
    if moment == AFTER:
        return [
            Share(
                moment, OFFICE, plan.region, plan.region, Fraction(len(plan.leads)),
                tuple(d for d in plan.districts if d.district_code in plan.lead_of), plan.without,
            )
            for plan in plans
        ]  # fmt: skip
    found: dict[str, _Office] = defaultdict(_Office)
    for plan in plans:
        for lead in plan.leads:
            served = _served_so_far(plan, lead)
            for district in served:
                office = found[_former(district, rules)]
                office.leads += Fraction(1, len(served))
                office.served.append(district)
        for district in _without(moment, plan):
            found[_former(district, rules)].without.append(district)
    return [
        Share(moment, OFFICE, name, "", office.leads, tuple(office.served), tuple(office.without))
        for name, office in sorted(found.items())
    ]


def _former(district: Caseload, rules: AssistanceRules) -> str:
    """Direct oversight was an office of its own before, too."""
    if district.region == rules.strategic_region:
        return rules.strategic_region
    return district.former_unit or UNKNOWN


def _spread(
    moment: str, scope: str, region: str, values: Sequence[Decimal | Fraction], without: tuple[Caseload, ...]
) -> Spread:
    uneven = gini(values)
    smallest = min(values, default=Fraction(0))
    return Spread(
        moment=moment,
        scope=scope,
        region=region,
        of=len(values),
        gini=None if uneven is None else half_up(uneven, 3),
        ratio=half_up(Fraction(max(values)) / Fraction(smallest), 2) if smallest else None,
        without=without,
    )
