"""The rules of classification of one year, built from the policy register and checked before any data.

Belongs here: words, bands, tests, precedence, ledgers' meaning, and the crosswalk of the Levels of 2017. Does not: any
decision on an organisation. Source: rulebook section 9; 603 CMR 2.03, 2.05, 2.06.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from orchestration import policy_tables as tables
from orchestration.errors import InputError
from orchestration.policy import PolicyRow, Register

ORG_TYPES = ("school", "district", "state")
TESTS = ("designation", "percentile", "group_percentile", "graduation_rate", "participation")
"""Grounds for requiring assistance, in the order they are printed."""
NEEDS = ("percentile", "progress")
STAGES = ("designation", "assistance_grounds", "insufficient_data", "progress")
OVERALL = ("not_requiring", "requiring", "insufficient_data")
FIXED_REASONS = ("focused_targeted", "broad_comprehensive", "insufficient_data")
RATES = ("better_of_one_and_two_years", "one_year", "two_years")
LEVEL_YEAR = 2017
"""The last year of the Levels; the crosswalk translates it into the words of the year after."""


@dataclass(frozen=True)
class Band:
    """Whole percents from `low` to `high`, both included, and the reason printed for them."""

    reason: str
    low: int
    high: int
    row: PolicyRow


@dataclass(frozen=True)
class Limit:
    """A threshold with its row."""

    value: Decimal
    row: PolicyRow


@dataclass(frozen=True)
class ClassificationRules:
    """Everything that decides classifications of `year`. Without `classifies` there are none (percentiles only)."""

    year: int
    classifies: bool
    calendar: PolicyRow
    overall: Mapping[str, PolicyRow]
    reasons: Mapping[str, PolicyRow]
    bands: tuple[Band, ...]
    precedence: tuple[str, ...]
    precedence_row: PolicyRow
    tests: Mapping[str, tuple[str, ...]]
    needs: Mapping[str, tuple[str, ...]]
    needs_rows: Mapping[str, PolicyRow]
    percentile: Limit
    group_percentile: Limit
    groups: tuple[str, ...]
    groups_row: PolicyRow
    graduation_rate: Limit
    participation: Limit
    participation_groups: tuple[str, ...]
    participation_rate: PolicyRow
    participation_minimum: Limit
    designation_reasons: Mapping[str, PolicyRow]
    designation_excludes: Mapping[str, str]
    in_force_on: date
    in_force_row: PolicyRow
    recognition_labels: Mapping[str, str]
    recognition_needs: Limit | None
    single_school_as_school: bool
    single_school_row: PolicyRow


@dataclass(frozen=True)
class Category:
    """An overall classification and its reason, as printed, with the rows they come from."""

    overall: str
    reason: str
    rows: tuple[PolicyRow, ...]


def classification_rules(register: Register, year: int) -> ClassificationRules:
    """The rules of `year`. Raises InputError naming the row that is missing, unknown or contradicts another."""
    calendar = register.row(year, "calendar", "determinations")
    if tables.word(calendar, ("full", "percentiles_only", "none")) == "none":
        raise InputError(f"{calendar.where}: there are no determinations in {year}")
    classifies = calendar.value == "full"
    overall = tables.exactly(tables.table(register, year, "overall_word"), OVERALL, "overall_word", year)
    reasons = tables.table(register, year, "reason_word")
    bands = _bands(register, year, reasons) if classifies else ()
    known = {*FIXED_REASONS, *(band.reason for band in bands), *(("recognition",) if classifies else ())}
    tables.exactly(reasons, known, "reason_word", year)
    precedence = register.row(year, "classification", "precedence")
    if set(tables.words(precedence, STAGES)) != set(STAGES):
        raise InputError(f"{precedence.where}: the precedence must name each of {', '.join(STAGES)}")
    groups = tuple(tables.table(register, year, "group_label"))
    designations = tables.table(register, year, "designation_reason")
    for row in designations.values():
        tables.word(row, FIXED_REASONS)
    excludes = tables.table(register, year, "designation_excludes")
    tests, needs = (_by_org_type(register, year, rule) for rule in ("classification_tests", "classification_needs"))
    single = register.row(year, "classification", "single_school_district")
    group_row = register.row(year, "group_percentile_test", "groups")
    rate = register.row(year, "participation_test", "rate")
    tables.word(rate, RATES)
    in_force = register.row(year, "designation", "in_force_on")
    return ClassificationRules(
        year=year,
        classifies=classifies,
        calendar=calendar,
        overall=overall,
        reasons=reasons,
        bands=bands,
        precedence=tables.words(precedence, STAGES),
        precedence_row=precedence,
        tests={name: tables.words(row, TESTS) for name, row in tests.items()},
        needs={name: _needs(row) for name, row in needs.items()},
        needs_rows=needs,
        percentile=_limit(register, year, "percentile_test", "at_most", 99),
        group_percentile=_limit(register, year, "group_percentile_test", "at_most", 99),
        groups=tables.words(group_row, groups),
        groups_row=group_row,
        graduation_rate=_limit(register, year, "graduation_rate_test", "below", 100),
        participation=_limit(register, year, "participation_test", "below", 100),
        participation_groups=tables.words(register.row(year, "participation_test", "groups"), groups),
        participation_rate=rate,
        participation_minimum=_limit(register, year, "minimum_n", "participation"),
        designation_reasons=designations,
        designation_excludes={name: tables.word(row, designations) for name, row in excludes.items()},
        in_force_on=tables.day(in_force),
        in_force_row=in_force,
        recognition_labels={name: row.value for name, row in tables.table(register, year, "recognition_label").items()},
        recognition_needs=_limit(register, year, "recognition", "grounds_needed") if classifies else None,
        single_school_as_school=tables.word(single, ("as_school", "own_data")) == "as_school",
        single_school_row=single,
    )


def combined_subjects(register: Register, year: int) -> bool:
    """Whether the participation test of `year` takes all subjects of a group together."""
    return tables.flag(register.row(year, "participation_test", "combined_subjects"))


def category_of_level(register: Register, level: str) -> Category:
    """The category of 2018 nearest to an accountability level of 2017 (`level_1` to `level_5`, `insufficient_data`).

    The meaning of the levels is confirmed (citation `levels`); that each stands for one category is inferred. Raises
    InputError for a level that the crosswalk does not have.
    """
    crosswalk = tables.table(register, LEVEL_YEAR, "level_crosswalk")
    if level not in crosswalk:
        raise InputError(f"level '{level}' is not one of {', '.join(crosswalk)}")
    year = LEVEL_YEAR + 1
    rules = classification_rules(register, year)
    reason = tables.word(crosswalk[level], rules.reasons)
    overall = rules.overall[overall_of(reason)]
    return Category(overall.value, rules.reasons[reason].value, (crosswalk[level], overall, rules.reasons[reason]))


def overall_of(reason: str) -> str:
    """The overall classification that a reason belongs to (the closed list of rulebook 9.1)."""
    if reason == "insufficient_data":
        return reason
    return "requiring" if reason in FIXED_REASONS else "not_requiring"


def _bands(register: Register, year: int, reasons: Mapping[str, PolicyRow]) -> tuple[Band, ...]:
    """Bands from the highest down; together every whole percent from 0 to 100, none twice."""
    bands = []
    for reason, row in tables.table(register, year, "progress_band").items():
        low, dash, high = row.value.partition("-")
        if not (dash and low.isascii() and low.isdigit() and high.isascii() and high.isdigit()):
            raise InputError(
                f"{row.where}: value '{row.value}' of {tables.name(row)} is not two whole percents, LOW-HIGH"
            )
        if reason not in reasons:
            raise InputError(f"{row.where}: policy: no row for year {year}, rule reason_word, parameter {reason}")
        bands.append(Band(reason, int(low), int(high), row))
    bands.sort(key=lambda band: -band.low)
    expected = 100
    for band in bands:
        if band.high != expected or band.low > band.high:
            raise InputError(
                f"{band.row.where}: band {band.row.value} of {year} must end at {expected}: bands cover 0-100, each "
                "percent once"
            )
        expected = band.low - 1
    if expected != -1:
        raise InputError(f"{bands[-1].row.where}: the bands of {year} leave out 0-{expected}")
    return tuple(bands)


def _by_org_type(register: Register, year: int, rule: str) -> dict[str, PolicyRow]:
    return tables.exactly(tables.table(register, year, rule), ORG_TYPES, rule, year)


def _needs(row: PolicyRow) -> tuple[str, ...]:
    needs = tables.words(row, NEEDS)
    if "progress" not in needs:
        raise InputError(f"{row.where}: without progress nothing is left to classify by; {tables.name(row)} needs it")
    return needs


def _limit(register: Register, year: int, rule: str, parameter: str, highest: int | None = None) -> Limit:
    row = register.row(year, rule, parameter)
    return Limit(tables.number(row, 0, highest), row)
