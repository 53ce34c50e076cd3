"""Annual assistance plans: is each line complete, and what became of the schools that each support went to.

Belongs here: the checks of the policy, counts a support. Does not: any claim that a support did something. Schools
get help because they are low, and figures of one year move by chance; the review counts and no more.
Source: Board memorandum of 2018-05-09: annual plans agreed by district and Lead, supports offered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from orchestration.assistance.assistance_rules import AssistanceRules
from orchestration.assistance.eligibility import CONTINUING, ENTERED, EXITED, Eligible
from orchestration.assistance.leads import LEAD
from orchestration.assistance.reading import Inputs, PlanLine, StaffRow

CLAIM = "The counts say where supports went and what was measured there. They do not say that a support caused it."
ROSE, FELL, SAME, UNKNOWN = "rose", "fell", "same", "unknown"


@dataclass(frozen=True)
class CheckedLine:
    """A line of a plan with the checks that it fails, in the policy's order."""

    line: PlanLine
    problems: tuple[str, ...]
    movement: str
    change: str | None
    is_void: bool


@dataclass(frozen=True)
class SupportReview:
    """What one support went to, cancelled lines left out, and what was measured there. Schools are counted once."""

    support: str
    lines: int
    lines_with_problems: int
    planned: Mapping[str, Decimal]
    delivered: Mapping[str, Decimal]
    districts: int
    schools: int
    movements: Mapping[str, int]
    changes: Mapping[str, int]


def check_lines(inputs: Inputs, found: Sequence[Eligible], rules: AssistanceRules) -> tuple[CheckedLine, ...]:
    """Every line of the year's plans, by identifier."""
    failed = _checks(inputs, found, rules)
    changes = {row.org_code: row.change for row in found}
    return tuple(
        CheckedLine(
            line=line,
            problems=tuple(check for check in rules.plans.checks if failed[check](line)),
            movement=_movement(line, inputs),
            change=changes.get(line.school_code) if line.school_code else None,
            is_void="void" in rules.plans.implied.get(line.status, ()),
        )
        for line in inputs.plans
    )


def review(checked: Iterable[CheckedLine], rules: AssistanceRules) -> tuple[SupportReview, ...]:
    """A row a support of the policy, also where it was not used."""
    lines = [one for one in checked if not one.is_void]
    return tuple(_review(kind, [one for one in lines if one.line.support == kind]) for kind in rules.plans.supports)


def districts_without_plan(found: Iterable[Eligible], checked: Iterable[CheckedLine]) -> tuple[str, ...]:
    """Districts that need a Lead and have no line but cancelled ones."""
    planned = {one.line.district_code for one in checked if not one.is_void}
    return tuple(row.org_code for row in found if row.needs_lead and row.org_code not in planned)


def _checks(inputs: Inputs, found: Sequence[Eligible], rules: AssistanceRules) -> dict[str, Callable[[PlanLine], bool]]:
    """Check to a function that tells whether a line fails it."""
    plan = rules.plans
    claims = {row.org_code for row in found if row.grounds or row.prior_grounds}
    leads: dict[str, list[StaffRow]] = {}
    for row in inputs.staff:
        if row.role == LEAD and row.at_work(plan.agreed_from, plan.agreed_until):
            leads.setdefault(row.staff_id, []).append(row)

    def implied(line: PlanLine) -> frozenset[str]:
        return plan.implied.get(line.status, frozenset())

    def agreed(line: PlanLine) -> bool:
        return "agreed" in implied(line) and line.agreed_on is None

    def agreed_in_year(line: PlanLine) -> bool:
        return line.agreed_on is not None and not plan.agreed_from <= line.agreed_on <= plan.agreed_until

    def amounts_of_status(line: PlanLine) -> bool:
        """A plan of nothing is no plan; work under way or done has an amount, work to come has none."""
        lacks = "delivered" in implied(line) and line.delivered is None
        early = "undelivered" in implied(line) and bool(line.delivered)
        return line.planned == 0 or lacks or early

    def delivered_within_plan(line: PlanLine) -> bool:
        return line.delivered is not None and line.delivered > line.planned

    def school_of_district(line: PlanLine) -> bool:
        school = inputs.now.organisations.get(line.school_code) if line.school_code else None
        return line.school_code is not None and (school is None or school.district_code != line.district_code)

    def district_has_a_claim(line: PlanLine) -> bool:
        return line.district_code not in claims

    def lead_known(line: PlanLine) -> bool:
        return line.staff_id not in leads

    def lead_of_district(line: PlanLine) -> bool:
        rows = leads.get(line.staff_id, [])
        return bool(rows) and line.district_code not in {row.district_code for row in rows}

    return {
        check.__name__: check
        for check in (
            agreed,
            agreed_in_year,
            amounts_of_status,
            delivered_within_plan,
            school_of_district,
            district_has_a_claim,
            lead_known,
            lead_of_district,
        )
    }


def _movement(line: PlanLine, inputs: Inputs) -> str:
    """Whether the school's percentile is higher or lower than in the year before."""
    now = inputs.now.determinations.get(line.school_code or "")
    before = inputs.prior.determinations.get(line.school_code or "") if inputs.prior else None
    if now is None or before is None or now.percentile is None or before.percentile is None:
        return UNKNOWN
    if now.percentile == before.percentile:
        return SAME
    return ROSE if now.percentile > before.percentile else FELL


def _review(support: str, lines: Sequence[CheckedLine]) -> SupportReview:
    schools = {one.line.school_code: one for one in lines if one.line.school_code}
    units = ("hours", "days")
    return SupportReview(
        support=support,
        lines=len(lines),
        lines_with_problems=sum(bool(one.problems) for one in lines),
        planned={u: sum((one.line.planned for one in lines if one.line.unit == u), Decimal(0)) for u in units},
        delivered={
            u: sum((one.line.delivered or Decimal(0) for one in lines if one.line.unit == u), Decimal(0)) for u in units
        },
        districts=len({one.line.district_code for one in lines}),
        schools=len(schools),
        movements={kind: sum(one.movement == kind for one in schools.values()) for kind in (ROSE, FELL, SAME, UNKNOWN)},
        changes={kind: sum(one.change == kind for one in schools.values()) for kind in (ENTERED, CONTINUING, EXITED)},
    )
