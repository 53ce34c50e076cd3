"""Participation, computed a second time from the rules in words alone: who should have been tested, and who was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tests.oracle.indicator_oracle import Delivery, attribute_rows, groups_by_student, half_up, has, places, sims
from tests.oracle.mcas_oracle import SPANS, Row, records
from tests.oracle.policy_reader import PROJECT_POLICY, Policy

ParticipationKey = tuple[str, str, str, str]  # org_code, gradespan, student_group, subject
Tallies = dict[ParticipationKey, tuple[int, int]]  # should have been tested, tested


@dataclass(frozen=True)
class ParticipationFigure:
    should_test: int
    tested: int
    not_tested: int
    n: int
    rate: int | None
    status: str
    two_year_should_test: int | None
    two_year_tested: int | None
    two_year_rate: int | None
    two_year_status: str


def participation(
    year: int, deliveries: Mapping[int, Delivery], *, policy: Policy = PROJECT_POLICY
) -> dict[ParticipationKey, ParticipationFigure]:
    """The participation of `year`, and pooled with the year before."""
    before = tallies(year - 1, deliveries, policy)
    minimum = int(policy.get(year, "minimum_n", "participation"))
    return {key: figure(now, before.get(key), minimum) for key, now in tallies(year, deliveries, policy).items()}


def figure(now: tuple[int, int], before: tuple[int, int] | None, minimum: int) -> ParticipationFigure:
    should_test, tested = now
    pooled = None if before is None else (should_test + before[0], tested + before[1])
    status = "ok" if should_test >= minimum else "n_too_small"
    two_year_status = "no_prior_year" if status == "ok" and pooled is None else status
    return ParticipationFigure(
        should_test=should_test,
        tested=tested,
        not_tested=should_test - tested,
        n=should_test,
        rate=percent(tested, should_test) if status == "ok" else None,
        status=status,
        two_year_should_test=pooled[0] if pooled else None,
        two_year_tested=pooled[1] if pooled else None,
        two_year_rate=percent(pooled[1], pooled[0]) if pooled and two_year_status == "ok" else None,
        two_year_status=two_year_status,
    )


def percent(part: int, whole: int) -> int:
    return half_up(100 * part, whole)


def tallies(year: int, deliveries: Mapping[int, Delivery], policy: Policy) -> Tallies:
    """By place, gradespan, group and subject, from the records, groups and policy of one year."""
    delivery = deliveries.get(year, {})
    if not (has(delivery, "sims") and has(delivery, "mcas")):
        return {}
    attributes = attribute_rows(sims(delivery))
    groups = groups_by_student(attributes)
    first_year = {student for student, row in attributes.items() if row.el_first_year == "01"}
    access = records(delivery, "access") if has(delivery, "access") else []
    took_access = {row["sasid"] for row in access if row["test_status"] == "T"}
    meanings = policy.table(year, "participation_status")

    should_test: Counter[ParticipationKey] = Counter()
    tested: Counter[ParticipationKey] = Counter()
    grades = policy.table(year, "tested_grades")
    for row in records(delivery, "mcas"):
        student = row["sasid"]
        for subject, span in ((subject, span) for subject in ("ela", "math", "science") for span in SPANS):
            if student not in groups or row["grade"] not in grades[f"{subject}_{span}"].split():
                continue
            meaning = outcome(row, subject, span, meanings)
            if meaning == "not_tested" and student in first_year & took_access:
                meaning = "tested"
            if meaning == "left_out":
                continue
            for place in places(row["school_code"]):
                for group in groups[student]:
                    should_test[place, span, group, subject] += 1
                    tested[place, span, group, subject] += meaning == "tested"
    return {key: (number, tested[key]) for key, number in should_test.items()}


def outcome(row: Row, subject: str, span: str, meanings: Mapping[str, str]) -> str:
    """tested, not_tested or left_out, before ACCESS is looked at."""
    best_counts = (subject, span) == ("science", "high")
    best = (row.get("science_highest_scaled_score"), row.get("science_highest_legacy_score"))
    if best_counts and best != (None, None):
        return "tested"
    status = row.get(f"{subject}_test_status")
    if status is None:
        return "not_tested" if best_counts else "left_out"
    if meanings[status] == "tested" and row.get(f"{subject}_attempt") == "N":
        return "not_tested"
    return meanings[status]
