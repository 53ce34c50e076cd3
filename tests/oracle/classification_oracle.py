"""Classification and federal designations computed a second time from the rulebook's sections 1.5, 9 and 10.

Belongs here: grounds, precedence, words, designations by federal law, from plain loops. Does not: percentiles (their
own oracle) and percentages (taken as given), nor anything taken from the code under test but the shape of its inputs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from orchestration.determinations.reading import Inputs
from tests.oracle.percentile_oracle import ALL_STUDENTS, Standing
from tests.oracle.policy_reader import Policy

Standings: TypeAlias = Mapping[tuple[str, str], Standing]
Percents: TypeAlias = Mapping[str, tuple[int | None, int | None]]
"""Organisation -> its annual and its cumulative percentage of all students as shown."""


class Decision(NamedTuple):
    """The cells of the table determinations; lists are joined by '; ', None where there is nothing."""

    overall_classification: str | None
    reason: str | None
    decided_by: str | None
    progress: str | None
    percentile: int | None
    annual: int | None
    cumulative: int | None
    grounds_met: str | None
    low_performing_groups: str | None
    low_participation_groups: str | None
    designations: str | None
    recognition: str | None
    status: str


class Federal(NamedTuple):
    """The cells of the table federal_designations."""

    is_title_i: bool
    kind: str
    designation: str
    reasons: str | None


class _Known(NamedTuple):
    """What is known of all organisations: designations in force, percentiles, rates, grounds of recognition."""

    designations: Mapping[str, list[str]]
    standings: Standings
    graduation: Mapping[str, Decimal]
    participation: Mapping[tuple[str, str, str], int]
    recognised: Mapping[str, list[str]]


def has_classifications(year: int, policy: Policy) -> bool:
    """Whether the calendar has target percentages and classifications in `year`."""
    return policy.get(year, "calendar", "determinations") == "full"


def graduation_rates(year: int, inputs: Inputs, policy: Policy) -> dict[str, Decimal]:
    """Organisation -> four-year graduation rate of all students, where enough students stand behind it."""
    least = int(policy.get(year, "minimum_n", "students"))
    return {
        row.org_code: row.value
        for row in inputs.results
        if (row.school_year, row.gradespan, row.student_group) == (year, "high", ALL_STUDENTS)
        and row.indicator == "four_year_graduation"
        and row.status == "ok"
        and row.value is not None
        and row.n >= least
    }


def participation(year: int, inputs: Inputs, policy: Policy) -> dict[tuple[str, str, str], int]:
    """(Organisation, group, subject) -> the better of the rates of one and of two years, whole percents."""
    assert policy.get(year, "participation_test", "combined_subjects") == "no"
    sums: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for row in inputs.participation:
        should, tested = row.two_year_should_test, row.two_year_tested
        if should is None or tested is None:
            should, tested = row.should_test, row.tested
        added = (row.should_test, row.tested, should, tested)
        key = (row.org_code, row.student_group, row.subject)
        sums[key] = [a + b for a, b in zip(sums[key], added, strict=True)]
    least = int(policy.get(year, "minimum_n", "participation"))
    return {
        key: max(_whole(tested, should), _whole(both_tested, both_should))
        for key, (should, tested, both_should, both_tested) in sums.items()
        if should >= least
    }


def _whole(tested: int, should: int) -> int:
    return int(Fraction(100 * tested, should) + Fraction(1, 2))


def decisions(
    year: int, inputs: Inputs, standings: Standings, percents: Percents, policy: Policy
) -> dict[str, Decision]:
    """Organisation -> its determination."""
    day = date.fromisoformat(policy.get(year, "designation", "in_force_on"))
    designations: dict[str, list[str]] = defaultdict(list)
    for row in inputs.designations:
        if row.effective_from <= day and (row.effective_until is None or row.effective_until >= day):
            designations[row.org_code] = sorted([*designations[row.org_code], row.designation])
    known = _Known(
        designations,
        standings,
        graduation_rates(year, inputs, policy),
        participation(year, inputs, policy),
        {
            code: [
                label for ground, label in policy.table(year, "recognition_label").items() if (code, ground) in named
            ]
            for named in [{(row.org_code, row.ground) for row in inputs.recognitions if row.school_year == year}]
            for code in inputs.organisations
        },
    )
    decided = {
        code: _decide(year, code, row.org_type, known, percents.get(code, (None, None)), policy)
        for code, row in inputs.organisations.items()
    }
    as_school = policy.get(year, "classification", "single_school_district") == "as_school"
    for code, row in inputs.organisations.items():
        above = inputs.organisations[row.district_code]
        if row.org_type == "school" and above.schools == 1 and as_school and not designations.get(above.org_code):
            # A school's words and grounds; its percentile stays its own (reports print "-" for districts), and the
            # district keeps its own percentages. A designation of the district itself stands.
            annual, cumulative = percents.get(above.org_code, (None, None))
            decided[above.org_code] = decided[code]._replace(
                percentile=None, annual=annual, cumulative=cumulative, recognition=None
            )
    return decided


def _decide(
    year: int, code: str, kind: str, known: _Known, percents: tuple[int | None, int | None], policy: Policy
) -> Decision:
    """The words: designation, then the grounds, then whether there is enough to go by, then the target percentage."""
    tests = policy.get(year, "classification_tests", kind).split()
    designations = known.designations.get(code, []) if "designation" in tests else []
    own = known.standings.get((code, ALL_STUDENTS))
    percentile, (annual, cumulative) = own.percentile if own else None, percents
    if not has_classifications(year, policy):
        grounds = "designation" if designations else None
        return Decision(
            None, None, None, None, percentile, annual, cumulative, grounds, None, None,
            "; ".join(designations) or None, None, "not_applicable",
        )  # fmt: skip
    low = _low_groups(year, code, known, policy) if "group_percentile" in tests else []
    untested = _low_participation(year, code, known, policy) if "participation" in tests else []
    progress_of = cumulative if cumulative is not None else annual
    have = {"percentile": percentile, "progress": progress_of}
    limit = Decimal(policy.get(year, "graduation_rate_test", "below"))
    met = {
        "designation": bool(designations),
        "percentile": percentile is not None and percentile <= int(policy.get(year, "percentile_test", "at_most")),
        "group_percentile": bool(low),
        "graduation_rate": code in known.graduation and known.graduation[code] < limit,
        "participation": bool(untested),
    }
    grounds = [test for test in met if met[test] and test in tests]
    lacks = any(have[need] is None for need in policy.get(year, "classification_needs", kind).split())
    band = _band(year, policy, progress_of)
    recognised = known.recognised[code]
    is_recognised = len(recognised) >= int(policy.get(year, "recognition", "grounds_needed"))
    stages = {
        "designation": policy.get(year, "designation_reason", designations[0]) if designations else None,
        "assistance_grounds": "focused_targeted" if set(grounds) - {"designation"} else None,
        "insufficient_data": "insufficient_data" if lacks else None,
        "progress": "recognition" if is_recognised else band,
    }
    stage = next(stage for stage in policy.get(year, "classification", "precedence").split() if stages[stage])
    reason = str(stages[stage])
    overall = {"designation": "requiring", "assistance_grounds": "requiring", "progress": "not_requiring"}
    words = policy.table(year, "reason_word")
    later = (("insufficient_data", lacks), ("progress", band is not None), ("recognition", is_recognised))
    told = [*grounds, *(test for test, is_met in later if is_met)]
    return Decision(
        policy.get(year, "overall_word", overall.get(stage, stage)),
        words[reason],
        stage,
        words[band] if band else None,
        percentile,
        annual,
        cumulative,
        "; ".join(told) or None,
        "; ".join(low) or None,
        "; ".join(untested) or None,
        "; ".join(designations) or None,
        "; ".join(recognised) if reason == "recognition" else None,
        "ok",
    )


def _low_groups(year: int, code: str, known: _Known, policy: Policy) -> list[str]:
    """Groups with a percentile of 5 or less."""
    at_most = int(policy.get(year, "group_percentile_test", "at_most"))
    found = {group: known.standings.get((code, group)) for group in _groups(year, "group_percentile_test", policy)}
    return [g for g, standing in found.items() if standing and standing.percentile and standing.percentile <= at_most]


def _low_participation(year: int, code: str, known: _Known, policy: Policy) -> list[str]:
    """Groups below the requirement in any subject, by name."""
    below = int(policy.get(year, "participation_test", "below"))
    low = {group for (org, group, _), rate in known.participation.items() if org == code and rate < below}
    return sorted(low & set(_groups(year, "participation_test", policy)))


def _groups(year: int, rule: str, policy: Policy) -> list[str]:
    return policy.get(year, rule, "groups").split()


def _band(year: int, policy: Policy, percent: int | None) -> str | None:
    for reason, band in policy.table(year, "progress_band").items():
        low, high = map(int, band.split("-"))
        if percent is not None and low <= percent <= high:
            return reason
    return None


def federal(year: int, inputs: Inputs, standings: Standings, policy: Policy) -> dict[str, Federal]:
    """School -> its designation by federal law, with every reason that it meets."""
    rates = graduation_rates(year, inputs, policy)
    # The public hub gives no Title I status and so no designation; the contract requires one of every other source.
    schools = [row for row in inputs.organisations.values() if row.org_type == "school" and row.title_i]
    is_title_i = {s.org_code: policy.get(year, "title_i_status", s.title_i or "") == "yes" for s in schools}
    percentile = {s.org_code: standings[s.org_code, ALL_STUDENTS].percentile for s in schools}
    csi, words = policy.table(year, "federal_csi"), policy.table(year, "federal_word")
    line = _csi_line(int(csi["percentile_at_most"]), Fraction(csi["share_of_title_i_schools"]), is_title_i, percentile)
    assert (csi["percentile_needs_title_i"], csi["graduation_rate_needs_title_i"]) == ("yes", "no")
    assert policy.get(year, "federal_tsi", "needs_title_i") == "no"
    groups = _groups(year, "group_percentile_test", policy)
    designated = {}
    for school in schools:
        code = school.org_code
        reasons: dict[str, list[str]] = {"csi": [], "tsi": [], "atsi": []}
        own = percentile[code]
        if own is not None and own <= line and is_title_i[code]:
            reasons["csi"].append("csi/percentile")
        if code in rates and rates[code] < Decimal(csi["graduation_rate_below"]):
            reasons["csi"].append("csi/graduation_rate")
        for group in groups:
            standing = standings.get((code, group))
            low = int(policy.get(year, "federal_tsi", "group_percentile_at_most"))
            if standing is None or standing.percentile is None or standing.percentile > low:
                continue
            reasons["tsi"].append(f"tsi/{group}")
            alone = int(policy.get(year, "federal_atsi", "percentile_alone_at_most"))
            if standing.alone is not None and standing.alone <= alone:
                reasons["atsi"].append(f"atsi/{group}")
        precedence = policy.get(year, "federal", "precedence").split()
        kind = next((kind for kind in precedence if reasons[kind]), "none")
        told = "; ".join(reason for found in reasons.values() for reason in found)
        if policy.get(year, "federal", "identification") != "yes":
            kind, told = "none", ""
        designated[code] = Federal(is_title_i[code], kind, words[kind], told or None)
    return designated


def _csi_line(
    at_most: int, share: Fraction, is_title_i: Mapping[str, bool], percentile: Mapping[str, int | None]
) -> int:
    """The percentile up to which Title I schools are identified: raised until it takes in the share of them all."""
    found = sorted(p for code, p in percentile.items() if p is not None and is_title_i[code])
    wanted = share * sum(is_title_i.values())
    for line in [at_most, *found]:
        if line >= at_most and sum(1 for p in found if p <= line) >= wanted:
            return line
    return max([at_most, *found])
