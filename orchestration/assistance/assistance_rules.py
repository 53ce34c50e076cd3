"""The rules of assistance of one year, built from the policy register and checked before any data.

Belongs here: typed parameters. Does not: the crosswalk of regions (`regions`), any decision.
Source: Board memorandum of 2018-05-09; rulebook section 11.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from orchestration import policy_tables as tables
from orchestration.errors import InputError
from orchestration.policy import Register

GROUNDS = ("lowest_percentile", "focused_targeted", "broad_comprehensive", "requires_assistance", "strategic")
LEVELS = ("district", "school")
SERVING = ("districts_served", "relationships_kept", "load_served")
"""Objectives that count district by district; they come before those that weigh Leads against each other."""
BALANCING = ("maximal_load", "minimal_load")
IMPLIED = ("agreed", "delivered", "undelivered", "void")
"""What a status implies: district and Lead have agreed, an amount is delivered, none is yet, the line is off."""
CHECKS = (
    "agreed",
    "agreed_in_year",
    "amounts_of_status",
    "delivered_within_plan",
    "school_of_district",
    "district_has_a_claim",
    "lead_known",
    "lead_of_district",
)


@dataclass(frozen=True)
class LoadRules:
    """What a Lead's load is made of; a district's load is kept to one decimal."""

    per_school: Decimal
    per_student: Decimal
    per_high_needs_student: Decimal


@dataclass(frozen=True)
class LeadRules:
    """Caseload, objectives in their order, and where the solver stops: nodes times open choices, and open choices."""

    district_needs: frozenset[str]
    minimum: int
    maximum: int
    objectives: tuple[str, ...]
    node_budget: int
    open_choices_at_most: int


@dataclass(frozen=True)
class PlanRules:
    """What a plan is held against; `implied`: status to words of IMPLIED."""

    checks: tuple[str, ...]
    agreed_from: date
    agreed_until: date
    implied: Mapping[str, frozenset[str]]
    supports: Mapping[str, str]


@dataclass(frozen=True)
class AssistanceRules:
    """Everything that decides assistance in `year`. Regions go by their printed names."""

    year: int
    prior_year: int | None
    percentile_at_most: int
    requiring: str
    reasons: Mapping[str, str]
    strategic_designations: frozenset[str]
    district_covers_its_schools: bool
    regions: tuple[str, ...]
    strategic_region: str
    region_precedence: tuple[str, ...]
    co_directors: Mapping[str, int]
    large_districts: int
    active_on: date
    load: LoadRules
    leads: LeadRules
    plans: PlanRules
    ground_words: Mapping[str, str]


def load_assistance_rules(register: Register, year: int) -> AssistanceRules:
    """The rules of `year`. Raises InputError naming the row that is missing, unknown or contradicts another."""
    grounds = tables.exactly(tables.table(register, year, "assistance_ground"), GROUNDS, "assistance_ground", year)
    regions = tables.table(register, year, "assistance_region")
    strategic = tables.word(register.row(year, "assistance_region_rule", "strategic_region"), regions)
    directors = tables.exactly(
        tables.table(register, year, "assistance_leadership"), regions, "assistance_leadership", year
    )
    reasons = tables.table(register, year, "reason_word")
    return AssistanceRules(
        year=year,
        prior_year=_prior_year(register, year),
        percentile_at_most=tables.whole(register.row(year, "assistance_targeted", "percentile_at_most"), 1, 99),
        requiring=register.row(year, "overall_word", "requiring").value,
        reasons={
            reasons[ground].value: ground for ground in ("focused_targeted", "broad_comprehensive") if ground in reasons
        },
        strategic_designations=frozenset(
            tables.words(
                register.row(year, "assistance_strategic", "designations"),
                tables.table(register, year, "designation_reason"),
            )
        ),
        district_covers_its_schools=tables.flag(
            register.row(year, "assistance_strategic", "district_covers_its_schools")
        ),
        regions=tuple(row.value for row in regions.values()),
        strategic_region=regions[strategic].value,
        region_precedence=tables.words(
            register.row(year, "assistance_region_rule", "precedence"),
            ("former_center", "town", "county"),
        ),
        co_directors={regions[name].value: tables.whole(row) for name, row in directors.items()},
        large_districts=tables.whole(register.row(year, "assistance_former_unit", "large_districts")),
        active_on=tables.day(register.row(year, "assistance_staffing", "active_on")),
        load=LoadRules(
            *(
                tables.number(register.row(year, "assistance_load", name))
                for name in ("per_school", "per_student", "per_high_needs_student")
            )
        ),
        leads=_lead_rules(register, year),
        plans=_plan_rules(register, year),
        ground_words={ground: row.value for ground, row in grounds.items()},
    )


def _prior_year(register: Register, year: int) -> int | None:
    """The last year before `year` that the calendar has determinations of."""
    earlier = (y for y in register.school_years if y < year)
    return max((y for y in earlier if register.row(y, "calendar", "determinations").value != "none"), default=None)


def _lead_rules(register: Register, year: int) -> LeadRules:
    minimum, maximum, objectives = (
        register.row(year, "assistance_lead", name) for name in ("caseload_minimum", "caseload_maximum", "objectives")
    )
    order = tables.words(objectives, (*SERVING, *BALANCING))
    serving = order[: len(SERVING)]
    if set(serving) != set(SERVING) or order[len(SERVING) :] != BALANCING or serving[0] != SERVING[0]:
        raise InputError(
            f"{objectives.where}: {SERVING[0]} must come first, {', '.join(SERVING[1:])} next in either order, "
            f"{', '.join(BALANCING)} last"
        )
    if tables.whole(minimum, 0, 1) > tables.whole(maximum, 1):
        raise InputError(f"{minimum.where}: the smallest caseload is above the largest")
    needs = tables.words(
        register.row(year, "assistance_lead", "district_needs"),
        tuple(f"{level}/{ground}" for level in LEVELS for ground in GROUNDS),
    )
    return LeadRules(
        district_needs=frozenset(needs),
        minimum=tables.whole(minimum, 0, 1),
        maximum=tables.whole(maximum, 1),
        objectives=order,
        node_budget=tables.whole(register.row(year, "assistance_solver", "node_budget"), 1),
        open_choices_at_most=tables.whole(register.row(year, "assistance_solver", "open_choices_at_most")),
    )


def _plan_rules(register: Register, year: int) -> PlanRules:
    first, last = (register.row(year, "assistance_plan", name) for name in ("agreed_from", "agreed_until"))
    days = []
    for row, of_year in ((first, year - 1), (last, year)):
        try:
            days.append(date.fromisoformat(f"{of_year}-{row.value}"))
        except ValueError:
            raise InputError(f"{row.where}: value '{row.value}' of {tables.name(row)} is not a day as MM-DD") from None
    statuses = tables.table(register, year, "assistance_plan_status")
    return PlanRules(
        checks=tables.words(register.row(year, "assistance_plan", "checks"), CHECKS),
        agreed_from=days[0],
        agreed_until=days[1],
        implied={status: frozenset(tables.words(row, IMPLIED)) for status, row in statuses.items()},
        supports={kind: row.value for kind, row in tables.table(register, year, "assistance_support").items()},
    )
