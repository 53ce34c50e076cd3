"""A second, independent computation of the indicator results, written from the rules in words alone.

It shares no code with the models it checks: plain Python, one function a rule, whole-number arithmetic.
Read top-down: `indicators` names the rules; each rule says who counts where and who of them is a hit;
`tally` turns that into figures.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tests.oracle.policy_reader import PROJECT_POLICY, Policy

Key = tuple[str, str, str, str]  # org_code, gradespan, student_group, indicator
Delivery = Mapping[str, Sequence[Path]]  # collection -> Parquet files of one school year
# (org_code, gradespan, student) -> what the student adds to the numerator: hit or not, a score, points or a percentile.
Counted = Mapping[tuple[str, str, str], int]
Groups = Mapping[str, AbstractSet[str]]  # student -> the groups the student is in

STATE = "00000000"
PERIODS = {"october_1": 1, "march_1": 2, "end_of_year": 3}
SPAN_OF_GRADE = {f"{grade:02}": "non_high" if grade <= 8 else "high" for grade in range(1, 13)}  # no PK, K, SP


@dataclass(frozen=True)
class Figure:
    numerator: int
    denominator: int
    n: int
    value: Decimal | None
    data_year: int
    status: str
    measure: str = "percent"


@dataclass(frozen=True)
class SimsRow:
    """The columns of the sims contract that the rules need, by their names there."""

    collection_period: str
    sasid: str
    school_code: str
    grade: str
    enrollment_status: str
    days_in_attendance: int  # empty only before the end of the year, where nothing reads it
    days_in_membership: int
    race_ethnicity: str
    low_income: str
    english_learner: str
    former_english_learner: str
    disability: str
    el_first_year: str
    enrolled_since_october: str | None  # empty in October


def indicators(
    year: int,
    deliveries: Mapping[int, Mapping[str, Sequence[Path]]],
    advanced_courses: AbstractSet[str],
    policy: Policy = PROJECT_POLICY,
) -> dict[Key, Figure]:
    """The indicator results of `year` that no test result is needed for (those are in mcas_oracle.py).

    A rule whose collections are missing has no rows.
    """
    this, before = deliveries.get(year, {}), deliveries.get(year - 1, {})
    figures: dict[Key, Figure] = {}
    minimum_n = int(policy.get(year, "minimum_n", "students"))

    if has(this, "sims"):
        rows = sims(this)
        groups: Groups = groups_by_student(attribute_rows(rows))
        chronic = chronic_absenteeism(rows, policy, year)
        figures |= tally("chronic_absenteeism", chronic, groups, year, minimum_n)
        if has(this, "access"):
            figures |= tally("el_progress", el_progress(this, groups), groups, year, minimum_n)
        if has(this, "course_schedules"):
            advanced = advanced_coursework(rows, this, advanced_courses)
            figures |= tally("advanced_coursework", advanced, groups, year, minimum_n)

    if has(before, "graduation_cohorts"):
        counted, groups = cohort(before, "4", year - 1, {"graduated"})
        figures |= tally("four_year_graduation", counted, groups, year - 1, minimum_n)
        counted, groups = cohort(before, "5", year - 2, {"graduated", "still_enrolled"})
        figures |= tally("extended_engagement", counted, groups, year - 2, minimum_n)

    if has(before, "sims") and has(before, "dropouts"):
        rows = sims(before)
        attributes = attribute_rows(rows)
        dropout = annual_dropout(rows, before)
        figures |= tally("annual_dropout", dropout, groups_by_student(attributes), year - 1, minimum_n)

    return figures


# --- The rules -------------------------------------------------------------------------------------------------------


def chronic_absenteeism(rows: Sequence[SimsRow], policy: Policy, year: int) -> Counted:
    """Absent at least a tenth of the days in membership, days added up within each place and gradespan."""
    share = Fraction(policy.get(year, "chronic_absenteeism", "absent_share"))
    minimum_days = int(policy.get(year, "chronic_absenteeism", "minimum_days_in_membership"))
    membership: Counter[tuple[str, str, str]] = Counter()
    absence: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        span = SPAN_OF_GRADE.get(row.grade)
        if row.collection_period == "end_of_year" and span:
            for place in places(row.school_code):
                membership[place, span, row.sasid] += row.days_in_membership
                absence[place, span, row.sasid] += row.days_in_membership - row.days_in_attendance
    # absence / days >= share, without a division
    return {
        key: absence[key] * share.denominator >= days * share.numerator
        for key, days in membership.items()
        if days >= minimum_days
    }


def el_progress(delivery: Delivery, known: Groups) -> Counted:
    """Tested students with an earlier test; place and grade are those of the test, groups those of sims."""
    counted: dict[tuple[str, str, str], int] = {}
    columns = ("sasid", "school_code", "grade", "test_status", "made_progress")
    for student, school, grade, test_status, made_progress in read(delivery, "access", columns):
        span = SPAN_OF_GRADE.get(grade)
        if test_status == "T" and made_progress is not None and span and student in known:
            for place in places(school):
                counted[place, span, student] = made_progress == "1"
    return counted


def advanced_coursework(rows: Sequence[SimsRow], delivery: Delivery, advanced_courses: AbstractSet[str]) -> Counted:
    """Eleventh and twelfth graders at the end of the year; a course completed at any school counts everywhere."""
    columns = ("sasid", "subject_course_code", "enrollment_status")
    completed = {
        student
        for student, course, status in read(delivery, "course_schedules", columns)
        if status == "COM" and course in advanced_courses
    }
    return {
        (place, "high", row.sasid): row.sasid in completed
        for row in rows
        if row.collection_period == "end_of_year"
        and row.grade in {"11", "12"}
        and row.enrollment_status in {"01", "04"}
        for place in places(row.school_code)
    }


def annual_dropout(rows: Sequence[SimsRow], delivery: Delivery) -> Counted:
    """High school students where they were on October 1; a dropout is a hit where October 1 and the school left meet.

    A student who left another school of the district than October's is a hit for the district and the state, not
    for a school.
    """
    left: dict[str, set[str]] = defaultdict(set)
    for student, school in read(delivery, "dropouts", ("sasid", "school_code")):
        left[student] |= places(school)
    return {
        (place, "high", row.sasid): place in left.get(row.sasid, set())
        for row in rows
        if row.collection_period == "october_1" and SPAN_OF_GRADE.get(row.grade) == "high"
        for place in places(row.school_code)
    }


def cohort(delivery: Delivery, span: str, cohort_year: int, hits: AbstractSet[str]) -> tuple[Counted, Groups]:
    """All students of one cohort after `span` years; cohort rows carry their own groups."""
    counted: dict[tuple[str, str, str], int] = {}
    groups: dict[str, AbstractSet[str]] = {}
    columns = ("cohort_span", "cohort_year", "sasid", "school_code", "outcome")
    own = ("race_ethnicity", "low_income", "english_learner", "disability")
    for row in read(delivery, "graduation_cohorts", columns + own):
        row_span, row_year, student, school, outcome, race, low_income, english_learner, disability = row
        if row_span == span and row_year == cohort_year:
            groups[student] = groups_of(race, low_income == "1", english_learner == "1", disability == "1")
            for place in places(school):
                counted[place, "high", student] = outcome in hits
    return counted, groups


# --- Places, attributes and groups -----------------------------------------------------------------------------------


def places(school: str) -> set[str]:
    """The school, its district and the state; a set, so a row reported by the district itself counts once there."""
    return {school, school[:4] + "0000", STATE}


def attribute_rows(rows: Sequence[SimsRow]) -> dict[str, SimsRow]:
    """The one row that speaks for a student: the latest period, then the highest school code."""
    in_order = sorted(rows, key=lambda row: (PERIODS[row.collection_period], row.school_code))
    return {row.sasid: row for row in in_order}  # the last of a student's rows stays


def groups_by_student(attributes: Mapping[str, SimsRow]) -> dict[str, AbstractSet[str]]:
    groups: dict[str, AbstractSet[str]] = {}
    for student, row in attributes.items():
        el_or_former = row.english_learner == "01" or row.former_english_learner == "1"
        groups[student] = groups_of(row.race_ethnicity, row.low_income == "01", el_or_former, row.disability != "500")
    return groups


def groups_of(race: str, low_income: bool, el_or_former: bool, disability: bool) -> set[str]:
    flags = {"low_income": low_income, "el_and_former_el": el_or_former, "students_with_disabilities": disability}
    groups = {"all_students", race_group(race)} | {name for name, applies in flags.items() if applies}
    return groups | {"high_needs"} if any(flags.values()) else groups


def race_group(code: str) -> str:
    number = int(code)
    if not 1 <= number <= 63:
        raise ValueError(f"no race code: {code}")
    if number >= 6:
        return "multi_race" if number <= 31 else "hispanic"
    return ("white", "black", "asian", "american_indian", "pacific_islander")[number - 1]


# --- From counted students to figures --------------------------------------------------------------------------------


def tally(
    indicator: str,
    counted: Counted,
    groups: Groups,
    data_year: int,
    minimum_n: int,
    measure: str = "percent",
    status: str = "ok",
) -> dict[Key, Figure]:
    """The figures of an indicator; `status` is that of figures with enough students."""
    denominators: Counter[Key] = Counter()
    numerators: Counter[Key] = Counter()
    for (place, span, student), amount in counted.items():
        for group in groups[student]:
            denominators[place, span, group, indicator] += 1
            numerators[place, span, group, indicator] += amount
    return {key: figure(numerators[key], n, data_year, minimum_n, measure, status) for key, n in denominators.items()}


def figure(
    numerator: int, denominator: int, data_year: int, minimum_n: int, measure: str = "percent", status: str = "ok"
) -> Figure:
    if denominator < minimum_n:
        return Figure(numerator, denominator, denominator, None, data_year, "n_too_small", measure)
    tenths = half_up((1000 if measure == "percent" else 10) * numerator, denominator)
    return Figure(numerator, denominator, denominator, Decimal(tenths).scaleb(-1), data_year, status, measure)


def half_up(numerator: int, denominator: int) -> int:
    """The nearest whole number to a fraction that is not negative; halves go up."""
    return (2 * numerator + denominator) // (2 * denominator)


# --- Reading ---------------------------------------------------------------------------------------------------------


def has(delivery: Delivery, collection: str) -> bool:
    return bool(delivery.get(collection))


def sims(delivery: Delivery) -> list[SimsRow]:
    return [SimsRow(*values) for values in read(delivery, "sims", [field.name for field in fields(SimsRow)])]


def read(delivery: Delivery, collection: str, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    for path in delivery[collection]:
        with pq.ParquetFile(path) as file:
            table = file.read(columns=list(columns))
        yield from zip(*(table.column(name).to_pylist() for name in columns), strict=True)
