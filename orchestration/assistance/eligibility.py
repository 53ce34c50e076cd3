"""Who is eligible for assistance in a year, on which grounds, and who entered, continues or has left since last year.

Belongs here: the tests on schools and districts. Does not: who helps them. Source: Board memorandum of 2018-05-09
(schools at or below the 10th percentile and their districts; Level 5 as its own region); rulebook section 11.

- school: percentile up to the limit; requires focused/targeted or broad/comprehensive support; is chronically
  underperforming or under a receiver.
- district: the same of its own determination (it has no percentile), and every ground of its schools, written
  `school/<ground>`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from orchestration.assistance.assistance_rules import AssistanceRules
from orchestration.assistance.reading import Determination, Organisation, YearTables
from orchestration.assistance.regions import Crosswalk, Place, regions_of
from orchestration.exact import half_up

ENTERED, CONTINUING, EXITED, NO_PRIOR = "entered", "continuing", "exited", "no_prior_year"
CLOSED = "not in the directory"


@dataclass(frozen=True)
class Eligible:
    """An organisation with a claim to assistance this year or (`exited`) last year.

    `grounds` are empty for one that has left. `needs_lead` holds for districts. Counts are None where the source has
    none; `high_needs_share` is percent with one decimal.
    """

    organisation: Organisation
    place: Place
    grounds: tuple[str, ...]
    prior_grounds: tuple[str, ...]
    change: str
    determination: Determination | None
    prior_percentile: int | None
    federal: str | None
    needs_lead: bool
    note: str | None = None

    @property
    def org_code(self) -> str:
        return self.organisation.org_code

    @property
    def region(self) -> str:
        return self.place.region

    @property
    def high_needs_share(self) -> Decimal | None:
        enrolment, high_needs = self.organisation.enrolment, self.organisation.high_needs
        if not enrolment or high_needs is None:
            return None
        return half_up(Fraction(100 * high_needs, enrolment), 1)


def eligible(
    now: YearTables,
    prior: YearTables | None,
    rules: AssistanceRules,
    prior_rules: AssistanceRules | None,
    crosswalk: Crosswalk,
) -> list[Eligible]:
    """Every organisation with a claim in this year or in the year before, by code.

    Raises InputError for an organisation that no row of the crosswalk places.
    """
    grounds = grounds_of(now, rules)
    before = grounds_of(prior, prior_rules) if prior and prior_rules else {}
    places = regions_of(now.organisations, strategic_of(now, rules), crosswalk, rules)
    gone = before.keys() - now.organisations.keys()
    if prior and prior_rules and gone:
        old = regions_of(prior.organisations, strategic_of(prior, prior_rules), crosswalk, rules)
        places |= {code: old[code] for code in gone}
    found = []
    for code in sorted(grounds.keys() | before.keys()):
        own, past = grounds.get(code, ()), before.get(code, ())
        organisation = now.organisations.get(code) or (prior.organisations[code] if prior else None)
        if organisation is None:
            continue
        earlier = prior.determinations.get(code) if prior else None
        found.append(
            Eligible(
                organisation=organisation,
                place=places[code],
                grounds=own,
                prior_grounds=past,
                change=NO_PRIOR if prior is None else _change(own, past),
                determination=now.determinations.get(code),
                prior_percentile=earlier.percentile if earlier else None,
                federal=now.federal.get(code),
                needs_lead=organisation.org_type == "district" and bool(needs(own) & rules.leads.district_needs),
                note=CLOSED if code in gone else None,
            )
        )
    return found


def grounds_of(tables: YearTables, rules: AssistanceRules) -> dict[str, tuple[str, ...]]:
    """Organisation code to its grounds, for those that have any; a district's own grounds first."""
    own: dict[str, list[str]] = defaultdict(list)
    strategic = strategic_of(tables, rules)
    for code, row in sorted(tables.determinations.items()):
        organisation = tables.organisations.get(code)
        if organisation is None or organisation.org_type not in ("school", "district"):
            continue
        own[code] += _own_grounds(organisation, row, strategic, rules)
    for code in sorted(own):
        organisation = tables.organisations[code]
        if organisation.org_type == "school":
            home = own[organisation.district_code]
            home += [name for ground in own[code] if (name := f"school/{ground}") not in home]
    return {code: tuple(grounds) for code, grounds in own.items() if grounds}


def strategic_of(tables: YearTables, rules: AssistanceRules) -> frozenset[str]:
    """Codes of chronically underperforming organisations and of those under a receiver."""
    return tables.strategic | {
        code for code, row in tables.determinations.items() if _designations(row) & rules.strategic_designations
    }


def needs(grounds: tuple[str, ...]) -> frozenset[str]:
    """A district's grounds in the words of the policy: its own are `district/<ground>`."""
    return frozenset(ground if ground.startswith("school/") else f"district/{ground}" for ground in grounds)


def _own_grounds(
    organisation: Organisation, row: Determination, strategic: frozenset[str], rules: AssistanceRules
) -> list[str]:
    found = []
    is_school = organisation.org_type == "school"
    if is_school and row.percentile is not None and row.percentile <= rules.percentile_at_most:
        found.append("lowest_percentile")
    if row.reason is not None and row.reason in rules.reasons:
        found.append(rules.reasons[row.reason])
    elif row.overall_classification == rules.requiring:
        found.append("requires_assistance")  # published lists that do not say which support
    if row.org_code in strategic:
        found.append("strategic")
    return found


def _designations(row: Determination) -> frozenset[str]:
    return frozenset((row.designations or "").split("; ")) - {""}


def _change(now: tuple[str, ...], before: tuple[str, ...]) -> str:
    if now:
        return CONTINUING if before else ENTERED
    return EXITED


def schools_of(found: Iterable[Eligible]) -> dict[tuple[str, str], list[Eligible]]:
    """(region, district code) to its schools with a claim this year."""
    out: dict[tuple[str, str], list[Eligible]] = defaultdict(list)
    for row in found:
        if row.organisation.org_type == "school" and row.grounds:
            out[row.region, row.organisation.district_code].append(row)
    return dict(out)
