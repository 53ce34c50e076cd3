"""Which Assistance Lead each eligible district gets: the districts to serve, the Leads at work, one plan a region.

Belongs here: loads, capacities, relationships, what is missing. Does not: the optimum (`optimum`). Regions do not
share Leads, so each is a problem of its own. A district with schools in two regions (a school under a receiver in a
district that is not) is served in each by a Lead of that region. Source: Board memorandum of 2018-05-09.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from orchestration.assistance.assistance_rules import AssistanceRules, LoadRules
from orchestration.assistance.eligibility import Eligible, schools_of
from orchestration.assistance.levelling import Problem
from orchestration.assistance.optimum import Stage, solve
from orchestration.assistance.reading import STATE, StaffRow
from orchestration.errors import InputError
from orchestration.exact import half_up

LEAD, CO_DIRECTOR = "assistance_lead", "co_director"
UNIT = Decimal("0.1")
"""Loads are whole numbers of it while they are weighed against each other."""


@dataclass(frozen=True)
class Caseload:
    """A district with what it brings: its schools with a claim in this region, their students, the load of them.

    `lacks`: counts that the source does not have of some school; the load goes without them.
    """

    region: str
    district_code: str
    district_name: str
    schools: tuple[str, ...]
    enrolment: int
    high_needs: int
    load: Decimal
    former_unit: str | None = None
    lacks: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        return self.region, self.district_code


@dataclass(frozen=True)
class Lead:
    """A Lead at work on the day. `room`: districts that can be served; `serves`: those served so far."""

    staff_id: str
    region: str
    room: int
    serves: tuple[str, ...]
    leaves_on: date | None = None


@dataclass(frozen=True)
class RegionPlan:
    """The assignment of a region. `lead_of` has every district that is served; the others are in `without`.

    `leads_missing`: Leads with the largest caseload that it would take to serve the others.
    """

    region: str
    districts: tuple[Caseload, ...]
    leads: tuple[Lead, ...]
    lead_of: dict[str, str]
    stages: tuple[Stage, ...]
    leads_missing: int

    @property
    def without(self) -> tuple[Caseload, ...]:
        return tuple(d for d in self.districts if d.district_code not in self.lead_of)

    @property
    def is_optimal(self) -> bool:
        return all(stage.is_proven for stage in self.stages)

    def of(self, staff_id: str) -> tuple[Caseload, ...]:
        """Districts of a Lead."""
        return tuple(d for d in self.districts if self.lead_of.get(d.district_code) == staff_id)

    @property
    def statement(self) -> str:
        """One line for people: what is served, or what is missing where."""
        staff = f"{self.region}: {_counted(len(self.districts), 'district')}, {_counted(len(self.leads), 'Lead')}"
        if not self.without:
            return f"{staff}; every district has a Lead"
        names = ", ".join(f"{d.district_code} {d.district_name}" for d in self.without)
        more = "1 more Lead is" if self.leads_missing == 1 else f"{self.leads_missing} more Leads are"
        room = sum(lead.room for lead in self.leads)
        return f"{staff} with room for {room}; {more} needed; without a Lead: {names}"


def caseloads(found: Sequence[Eligible], former: dict[str, str] | None, rules: AssistanceRules) -> tuple[Caseload, ...]:
    """A row a region and district to be served, by region and district code.

    A district is served in its own region when it needs a Lead there, and in the region of its schools under a receiver
    when that is another one.
    """
    schools = schools_of(found)
    out = []
    for row in found:
        if not row.needs_lead:
            continue
        code = row.org_code
        regions = {region for region, district in schools if district == code}
        own_claim = any(not ground.startswith("school/") for ground in row.grounds)
        if own_claim or not regions:
            regions.add(row.region)
        for region in sorted(regions):
            served = schools.get((region, code), [])
            out.append(_caseload(region, row, served, (former or {}).get(code), rules.load))
    return tuple(sorted(out, key=lambda d: d.key))


def leads_at_work(staff: Iterable[StaffRow], day: date, rules: AssistanceRules) -> tuple[Lead, ...]:
    """The Leads of every region on `day`, by identifier. InputError where a person's rows contradict each other."""
    people: dict[str, list[StaffRow]] = defaultdict(list)
    for row in staff:
        if row.active(day):
            people[row.staff_id].append(row)
    out = []
    for staff_id, rows in sorted(people.items()):
        first = rows[0]
        for field in ("role", "region", "capacity"):
            if len({getattr(row, field) for row in rows}) > 1:
                raise InputError(f"assistance_staff: {staff_id}: rows in force on {day} differ in {field}")
        if first.region not in rules.regions:
            raise InputError(f"assistance_staff: {staff_id}: region '{first.region}' is not a region")
        room = min(first.capacity, rules.leads.maximum)
        if first.role != LEAD or room < 1:
            continue
        leaves = min((row.active_until for row in rows if row.active_until), default=None)
        serves = tuple(sorted({row.district_code for row in rows} - {STATE}))
        out.append(Lead(staff_id, first.region, room, serves, leaves))
    _check_one_lead(out)
    return tuple(out)


def assign(districts: Sequence[Caseload], leads: Sequence[Lead], rules: AssistanceRules) -> tuple[RegionPlan, ...]:
    """The best assignment of every region that has districts or Leads, in the policy's order of regions."""
    plans = []
    for region in rules.regions:
        own = tuple(sorted((d for d in districts if d.region == region), key=lambda d: d.district_code))
        staff = tuple(sorted((lead for lead in leads if lead.region == region), key=lambda lead: lead.staff_id))
        if own or staff:
            plans.append(_plan(region, own, staff, rules))
    return tuple(plans)


def _plan(region: str, districts: tuple[Caseload, ...], leads: tuple[Lead, ...], rules: AssistanceRules) -> RegionPlan:
    position = {d.district_code: n for n, d in enumerate(districts)}
    problem = Problem(
        loads=tuple(int(d.load / UNIT) for d in districts),
        rooms=tuple(lead.room for lead in leads),
        current=frozenset((position[c], n) for n, lead in enumerate(leads) for c in lead.serves if c in position),
        minimum=rules.leads.minimum,
    )
    lead_of, stages = solve(problem, rules.leads)
    lacking = len(districts) - len(lead_of)
    return RegionPlan(
        region=region,
        districts=districts,
        leads=leads,
        lead_of={districts[d].district_code: leads[n].staff_id for d, n in sorted(lead_of.items())},
        stages=stages,
        leads_missing=-(-lacking // rules.leads.maximum),
    )


def _caseload(
    region: str, district: Eligible, schools: Sequence[Eligible], former: str | None, rules: LoadRules
) -> Caseload:
    enrolment = sum(school.organisation.enrolment or 0 for school in schools)
    high_needs = sum(school.organisation.high_needs or 0 for school in schools)
    load = rules.per_school * len(schools) + rules.per_student * enrolment + rules.per_high_needs_student * high_needs
    return Caseload(
        region=region,
        district_code=district.org_code,
        district_name=district.organisation.org_name,
        schools=tuple(school.org_code for school in schools),
        enrolment=enrolment,
        high_needs=high_needs,
        load=half_up(load, 1),
        former_unit=former,
        lacks=tuple(n for n in ("enrolment", "high_needs") if any(getattr(s.organisation, n) is None for s in schools)),
    )


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _check_one_lead(leads: Iterable[Lead]) -> None:
    served: dict[tuple[str, str], str] = {}
    for lead in leads:
        for district in lead.serves:
            if other := served.get((lead.region, district)):
                raise InputError(
                    f"assistance_staff: district {district} is served by both {other} and {lead.staff_id} in "
                    f"{lead.region}; end one of the rows (active_until)"
                )
            served[lead.region, district] = lead.staff_id
