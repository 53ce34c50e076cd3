"""Participation rates of whole organisations, from the counts of participation_results.

Belongs here: adding gradespans, and subjects where the policy combines them. Does not: the 95 percent test.
Source: rulebook section 1.5. Which gradespans a published rate covers was not read: one rate an organisation, inferred.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from orchestration.errors import InputError
from orchestration.exact import half_up_ratio

ALL_SUBJECTS = "all"


class ParticipationCount(NamedTuple):
    """A row of participation_results: students; the two-year counts are None where there is no prior year."""

    org_code: str
    gradespan: str
    student_group: str
    subject: str
    should_test: int
    tested: int
    two_year_should_test: int | None = None
    two_year_tested: int | None = None


@dataclass(frozen=True, slots=True)
class ParticipationRate:
    """A group's rates in a subject, whole percents; None where there is none. `n` should have been tested."""

    student_group: str
    subject: str
    n: int
    rate: int | None
    two_year_rate: int | None


def participation_rates(
    counts: Iterable[ParticipationCount], combined_subjects: bool
) -> dict[str, tuple[ParticipationRate, ...]]:
    """Organisation code to its rates, by group and subject ('all' where subjects are combined).

    A gradespan without a prior year adds this year's students to the two-year rate. Raises InputError for more
    tested than should have been, and for negative counts.
    """
    found: dict[tuple[str, str, str], list[ParticipationCount]] = {}
    for row in counts:
        _check(row)
        subject = ALL_SUBJECTS if combined_subjects else row.subject
        found.setdefault((row.org_code, row.student_group, subject), []).append(row)
    rates: dict[str, list[ParticipationRate]] = {}
    for (org, group, subject), rows in sorted(found.items()):
        n = sum(row.should_test for row in rows)
        rates.setdefault(org, []).append(
            ParticipationRate(group, subject, n, _percent(sum(row.tested for row in rows), n), _two_years(rows))
        )
    return {org: tuple(entries) for org, entries in rates.items()}


def _two_years(rows: Sequence[ParticipationCount]) -> int | None:
    if all(row.two_year_should_test is None for row in rows):
        return None
    pairs = [
        (row.tested, row.should_test)
        if row.two_year_tested is None or row.two_year_should_test is None
        else (row.two_year_tested, row.two_year_should_test)
        for row in rows
    ]
    return _percent(sum(tested for tested, _ in pairs), sum(should for _, should in pairs))


def _percent(tested: int, should_test: int) -> int | None:
    return int(half_up_ratio(100 * tested, should_test, 0)) if should_test else None


def _check(row: ParticipationCount) -> None:
    for tested, should in ((row.tested, row.should_test), (row.two_year_tested or 0, row.two_year_should_test or 0)):
        if not 0 <= tested <= should:
            raise InputError(
                f"participation_results: {row.org_code} {row.gradespan} {row.student_group} {row.subject}: "
                f"{tested} tested of {should}"
            )
