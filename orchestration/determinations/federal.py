"""Federal designations of schools: comprehensive, targeted and additional targeted support (CSI, TSI, ATSI).

Belongs here: the tests and their rules of a year. Does not: percentiles. Source: rulebook section 10.
Every parameter is inferred, since the state plan was not read; each is a policy row.

- CSI: a Title I school with a percentile up to the limit, or as far up as it takes to reach the share of all Title I
  schools; any school with a graduation rate below the limit.
- ATSI: a TSI school one of whose low groups would be in the CSI range as a school of its own (`Percentile.alone`).
- TSI: one or more student groups with a percentile up to the limit. "Consistently" is what the percentile's own years
  give: it pools up to three.
A school has one designation, the first of the policy's precedence; every reason is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import ceil

from orchestration import policy_tables as tables
from orchestration.determinations.trace import Step, Value
from orchestration.errors import InputError
from orchestration.policy import PolicyRow, Register

KINDS = ("csi", "atsi", "tsi")
CSI = ("percentile_at_most", "share_of_title_i_schools", "percentile_needs_title_i", "graduation_rate_below",
       "graduation_rate_needs_title_i")  # fmt: skip
TSI = ("group_percentile_at_most", "needs_title_i")
ATSI = ("percentile_alone_at_most",)


@dataclass(frozen=True)
class FederalRules:
    """Everything that decides federal designations of `year`; in a year that does not identify, nobody has one."""

    year: int
    identifies: bool
    identification: PolicyRow
    precedence: tuple[str, ...]
    words: Mapping[str, PolicyRow]
    title_i: Mapping[str, bool]
    groups: tuple[str, ...]
    csi: Mapping[str, PolicyRow]
    tsi: Mapping[str, PolicyRow]
    atsi: Mapping[str, PolicyRow]


@dataclass(frozen=True)
class SchoolStanding:
    """What federal law asks of a school. `title_i` as delivered; percentiles 1-99; `alone` of its low groups."""

    org_code: str
    title_i: str
    percentile: int | None = None
    graduation_rate: Decimal | None = None
    group_percentiles: Mapping[str, int | None] = field(default_factory=dict)
    groups_alone: Mapping[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True)
class FederalDesignation:
    """The designation of a school ('csi', 'atsi', 'tsi' or 'none'), its word as printed, and every reason met.

    A reason is `csi/percentile`, `csi/graduation_rate`, `tsi/<group>` or `atsi/<group>`.
    """

    school_year: int
    org_code: str
    kind: str
    designation: str
    reasons: tuple[str, ...]
    is_title_i: bool


def federal_rules(register: Register, year: int) -> FederalRules:
    """The rules of `year`. Raises InputError naming the row that is missing, unknown or contradicts another."""
    precedence = register.row(year, "federal", "precedence")
    if set(tables.words(precedence, KINDS)) != set(KINDS):
        raise InputError(f"{precedence.where}: the precedence must name each of {', '.join(KINDS)}")
    csi, tsi, atsi = (
        tables.exactly(tables.table(register, year, rule), parameters, rule, year)
        for rule, parameters in (("federal_csi", CSI), ("federal_tsi", TSI), ("federal_atsi", ATSI))
    )
    for row in (csi["percentile_at_most"], tsi["group_percentile_at_most"], atsi["percentile_alone_at_most"]):
        tables.whole(row, 1, 99)
    tables.number(csi["share_of_title_i_schools"], 0, 1)
    tables.number(csi["graduation_rate_below"], 0, 100)
    for row in (csi["percentile_needs_title_i"], csi["graduation_rate_needs_title_i"], tsi["needs_title_i"]):
        tables.flag(row)
    identification = register.row(year, "federal", "identification")
    labels = tables.table(register, year, "group_label")
    return FederalRules(
        year=year,
        identifies=tables.flag(identification),
        identification=identification,
        precedence=tables.words(precedence, KINDS),
        words=tables.exactly(tables.table(register, year, "federal_word"), (*KINDS, "none"), "federal_word", year),
        title_i={status: tables.flag(row) for status, row in tables.table(register, year, "title_i_status").items()},
        groups=tables.words(register.row(year, "group_percentile_test", "groups"), labels),
        csi=csi,
        tsi=tsi,
        atsi=atsi,
    )


def federal_designations(
    rules: FederalRules, schools: Iterable[SchoolStanding]
) -> tuple[list[FederalDesignation], list[Step]]:
    """The designation of every school, in order, and a step each. `schools` are all schools of the year.

    Raises InputError for a Title I status that the policy does not know.
    """
    standings = list(schools)
    title_i = {school.org_code: _is_title_i(rules, school) for school in standings}
    limit = _csi_limit(rules, [school for school in standings if title_i[school.org_code]])
    out, steps = [], []
    for school in standings:
        reasons = _reasons(rules, school, title_i[school.org_code], limit) if rules.identifies else ()
        met = {reason.partition("/")[0] for reason in reasons}
        kind = next((kind for kind in rules.precedence if kind in met), "none")
        word = rules.words[kind]
        out.append(FederalDesignation(rules.year, school.org_code, kind, word.value, reasons, title_i[school.org_code]))
        steps.append(_step(rules, school, out[-1], limit))
    return out, steps


def _csi_limit(rules: FederalRules, title_i: Sequence[SchoolStanding]) -> int:
    """The percentile up to which Title I schools are identified: the limit, or more to reach the share of them all."""
    limit = int(rules.csi["percentile_at_most"].value)
    ranked = sorted(school.percentile for school in title_i if school.percentile is not None)
    wanted = ceil(Fraction(rules.csi["share_of_title_i_schools"].value) * len(title_i))
    return max(limit, ranked[min(wanted, len(ranked)) - 1]) if wanted and ranked else limit


def _reasons(rules: FederalRules, school: SchoolStanding, is_title_i: bool, limit: int) -> tuple[str, ...]:
    def may(row: PolicyRow) -> bool:
        return is_title_i or row.value == "no"

    found = []
    if may(rules.csi["percentile_needs_title_i"]) and school.percentile is not None and school.percentile <= limit:
        found.append("csi/percentile")
    below = Decimal(rules.csi["graduation_rate_below"].value)
    rate = school.graduation_rate
    if may(rules.csi["graduation_rate_needs_title_i"]) and rate is not None and rate < below:
        found.append("csi/graduation_rate")
    if may(rules.tsi["needs_title_i"]):
        low = _low(rules, school.group_percentiles, rules.tsi["group_percentile_at_most"])
        found += [f"tsi/{group}" for group in low]
        alone = {group: school.groups_alone.get(group) for group in low}
        found += [f"atsi/{group}" for group in _low(rules, alone, rules.atsi["percentile_alone_at_most"])]
    return tuple(found)


def _low(rules: FederalRules, percentiles: Mapping[str, int | None], row: PolicyRow) -> list[str]:
    limit = int(row.value)
    ranked = ((group, percentiles.get(group)) for group in rules.groups)
    return [group for group, percentile in ranked if percentile is not None and percentile <= limit]


def _is_title_i(rules: FederalRules, school: SchoolStanding) -> bool:
    if school.title_i not in rules.title_i:
        raise InputError(
            f"organisations: {school.org_code}: title_i '{school.title_i}' is not one of {', '.join(rules.title_i)}"
        )
    return rules.title_i[school.title_i]


def _step(rules: FederalRules, school: SchoolStanding, found: FederalDesignation, limit: int) -> Step:
    own = f"{rules.year}/{school.org_code}/percentile"
    low = _low(rules, school.group_percentiles, rules.tsi["group_percentile_at_most"])
    inputs: dict[str, Value] = {
        "title_i": school.title_i,
        "percentile": school.percentile,
        "graduation_rate": school.graduation_rate,
        "csi_percentile_at_most": limit,
        "low_groups": {group: school.group_percentiles[group] for group in low},
        "low_groups_alone": {group: school.groups_alone.get(group) for group in low},
    }
    rows = (*rules.csi.values(), *rules.tsi.values(), *rules.atsi.values()) if rules.identifies else ()
    return Step(
        school_year=rules.year,
        org_code=school.org_code,
        kind="federal",
        rule_id="federal",
        inputs=inputs,
        parameters=(rules.identification, rules.words[found.kind], *rows),
        outcome={"designation": found.designation, "reasons": found.reasons},
        status="ok" if rules.identifies else "not_applicable",
        upstream=(f"{own}/all_students", *(f"{own}/{group}" for group in low)),
    )
