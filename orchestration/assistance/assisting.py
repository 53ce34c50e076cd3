"""The assistance of a year, step after step, in the order of the data.

Belongs here: what goes into which step. Does not: any rule; each step has a module of its own. No file, no clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from orchestration.assistance.assistance_rules import AssistanceRules, load_assistance_rules
from orchestration.assistance.eligibility import Eligible, eligible
from orchestration.assistance.equity import Equity, equity
from orchestration.assistance.leadership import Team, teams
from orchestration.assistance.leads import Caseload, RegionPlan, assign, caseloads, leads_at_work
from orchestration.assistance.plans import CheckedLine, SupportReview, check_lines, districts_without_plan, review
from orchestration.assistance.reading import Inputs
from orchestration.assistance.regions import Crosswalk, former_units
from orchestration.policy import Register


@dataclass(frozen=True)
class YearRules:
    """Everything that decides a year; `prior` are the rules of the year that is compared with."""

    now: AssistanceRules
    prior: AssistanceRules | None


@dataclass(frozen=True)
class Assisted:
    """What a year's run decides."""

    eligible: tuple[Eligible, ...]
    districts: tuple[Caseload, ...]
    plans: tuple[RegionPlan, ...]
    teams: tuple[Team, ...]
    equity: Equity
    lines: tuple[CheckedLine, ...]
    review: tuple[SupportReview, ...]
    without_plan: tuple[str, ...]

    @property
    def has_staff(self) -> bool:
        """Whether any Lead is at work; published lists name none."""
        return any(plan.leads for plan in self.plans)


def year_rules(register: Register, year: int) -> YearRules:
    """The rules of `year`. Raises InputError naming the policy row that is missing or contradicts another."""
    now = load_assistance_rules(register, year)
    return YearRules(now, load_assistance_rules(register, now.prior_year) if now.prior_year else None)


def assist(inputs: Inputs, rules: YearRules, crosswalk: Crosswalk, day: date | None = None) -> Assisted:
    """Eligibility, assignment, leadership, equity and plans, with the staff at work on `day` (default: the policy's).

    Raises InputError for an organisation without a region and for a staff ledger that contradicts itself.
    """
    day = day or rules.now.active_on
    found = eligible(inputs.now, inputs.prior, rules.now, rules.prior, crosswalk)
    former = former_units(inputs.now.organisations, crosswalk, rules.now)
    districts = caseloads(found, former, rules.now)
    plans = assign(districts, leads_at_work(inputs.staff, day, rules.now), rules.now)
    lines = check_lines(inputs, found, rules.now)
    return Assisted(
        eligible=tuple(found),
        districts=districts,
        plans=plans,
        teams=teams(plans, inputs.staff, day, rules.now),
        equity=equity(plans, rules.now),
        lines=lines,
        review=review(lines, rules.now),
        without_plan=districts_without_plan(found, lines),
    )
