"""Worked examples that pin the second computation to the rules in words (dbt_project/models/indicators/rules).

The rows are those of handmade.py. Determinations of 2025.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle.handmade import (
    AP,
    DISTRICT,
    FAR,
    FAR_DISTRICT,
    NORTH,
    SOUTH,
    Row,
    access,
    cohort,
    course,
    days,
    dropout,
    october,
    sims,
    write,
)
from tests.oracle.indicator_oracle import STATE, Figure, Key, figure, indicators, race_group
from tests.oracle.policy_reader import PROJECT_POLICY, Policy


class Figures:
    """Writes the rows given as `year: {collection: rows}` to Parquet, computes, and looks figures up."""

    def __init__(
        self, folder: Path, deliveries: Mapping[int, Mapping[str, list[Row]]], policy: Policy = PROJECT_POLICY
    ) -> None:
        self.all: dict[Key, Figure] = indicators(2025, write(folder, deliveries), {AP}, policy=policy)

    def share(self, indicator: str, org: str, group: str = "all_students", span: str = "non_high") -> str:
        """ "hits of students", or "none" where there is no row."""
        found = self.all.get((org, span, group, indicator))
        return f"{found.numerator} of {found.denominator}" if found else "none"

    def groups(self, indicator: str, org: str = STATE) -> set[str]:
        return {key[2] for key in self.all if key[0] == org and key[3] == indicator}


# --- Every indicator -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hits", "students", "value"),
    [
        (2, 32, "6.3"),  # 6.25: half goes up, not to the even digit
        (1, 80, "1.3"),  # 1.25
        (9, 80, "11.3"),  # 11.25
        (3, 24, "12.5"),  # exact
        (10, 22, "45.5"),  # 45.4545...: rounded once, to one decimal
        (20, 30, "66.7"),
        (0, 20, "0.0"),
        (21, 21, "100.0"),
    ],
)
def test_value_has_one_decimal_half_up(tmp_path: Path, hits: int, students: int, value: str) -> None:
    rows = [cohort(i, "graduated" if i < hits else "dropout") for i in range(students)]
    result = Figures(tmp_path, {2024: {"graduation_cohorts": rows}})
    expected = Figure(hits, students, students, Decimal(value), 2024, "ok")
    assert result.all[NORTH, "high", "all_students", "four_year_graduation"] == expected


@given(st.integers(1, 10**7).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_value_is_decimal_half_up_for_any_share(share: tuple[int, int]) -> None:
    hits, students = share
    value = figure(hits, students, 2025, 1).value
    assert value is not None
    assert abs(Fraction(value) - Fraction(100 * hits, students)) <= Fraction(1, 20)
    exact = (Decimal(100 * hits) / students).quantize(Decimal("0.1"), ROUND_HALF_UP)
    assert value == exact


@pytest.mark.parametrize(("students", "status"), [(19, "n_too_small"), (20, "ok")])
def test_nineteen_students_are_too_few_and_twenty_enough(tmp_path: Path, students: int, status: str) -> None:
    result = Figures(tmp_path, {2025: {"sims": [sims(i) for i in range(students)]}})
    found = result.all[NORTH, "non_high", "all_students", "chronic_absenteeism"]
    assert (found.status, found.n, found.numerator) == (status, students, 0)
    assert found.value == (Decimal("0.0") if status == "ok" else None)


def test_high_needs_counts_a_student_of_several_groups_once(tmp_path: Path) -> None:
    rows = [
        sims(1, low_income="01", english_learner="01", disability="08"),
        sims(2, former_english_learner="1"),
        sims(3, disability="01"),
        sims(4, low_income="01"),
        sims(5),
    ]
    result = Figures(tmp_path, {2025: {"sims": rows}})
    sizes = {group: result.share("chronic_absenteeism", NORTH, group) for group in result.groups("chronic_absenteeism")}
    assert sizes == {
        "all_students": "0 of 5",
        "high_needs": "0 of 4",
        "low_income": "0 of 2",
        "el_and_former_el": "0 of 2",
        "students_with_disabilities": "0 of 2",
        "white": "0 of 5",
    }


@pytest.mark.parametrize(
    ("code", "group"),
    [
        ("01", "white"),
        ("02", "black"),
        ("03", "asian"),
        ("04", "american_indian"),
        ("05", "pacific_islander"),
        ("06", "multi_race"),
        ("31", "multi_race"),
        ("32", "hispanic"),
        ("63", "hispanic"),
    ],
)
def test_race_codes_at_the_edges(tmp_path: Path, code: str, group: str) -> None:
    result = Figures(tmp_path, {2025: {"sims": [sims(1, race_ethnicity=code)]}})
    assert result.groups("chronic_absenteeism") == {"all_students", group}


@pytest.mark.parametrize("code", ["00", "64"])
def test_unknown_race_codes_are_refused(code: str) -> None:
    with pytest.raises(ValueError, match="no race code"):
        race_group(code)


def test_attributes_come_from_the_latest_period_and_there_the_highest_school_code(tmp_path: Path) -> None:
    rows = [
        sims(1, FAR, period="october_1", race_ethnicity="02"),
        sims(1, FAR, period="march_1", race_ethnicity="03"),
        sims(1, SOUTH, race_ethnicity="04"),
        sims(1, NORTH, race_ethnicity="05"),  # same period, lower school code
    ]
    result = Figures(tmp_path, {2025: {"sims": rows}})
    assert result.groups("chronic_absenteeism") == {"all_students", "american_indian"}
    assert (
        result.share("chronic_absenteeism", NORTH, "american_indian") == "0 of 1"
    )  # also where the row says otherwise


def test_march_speaks_for_a_student_gone_before_the_end_of_the_year(tmp_path: Path) -> None:
    rows = [october(1, race_ethnicity="02"), sims(1, grade="10", period="march_1", race_ethnicity="03")]
    result = Figures(tmp_path, {2024: {"sims": rows, "dropouts": [dropout(1)]}})
    assert result.groups("annual_dropout") == {"all_students", "asian"}


# --- Chronic absenteeism ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("absent", "hits"), [(18, "1 of 1"), (17, "0 of 1")])
def test_ten_percent_exactly_is_chronic(tmp_path: Path, absent: int, hits: str) -> None:
    result = Figures(tmp_path, {2025: {"sims": [days(1, absent, 180)]}})
    assert result.share("chronic_absenteeism", NORTH) == hits


def test_the_share_is_not_rounded_before_the_comparison(tmp_path: Path) -> None:
    result = Figures(tmp_path, {2025: {"sims": [days(1, 24, 241)]}})  # 9.96 percent
    assert result.share("chronic_absenteeism", NORTH) == "0 of 1"


def test_the_share_is_a_setting(tmp_path: Path) -> None:
    rows = [days(1, 36, 180), days(2, 35, 180)]
    fifth = PROJECT_POLICY.but("chronic_absenteeism", "absent_share", "0.20")
    result = Figures(tmp_path, {2025: {"sims": rows}}, fifth)
    assert result.share("chronic_absenteeism", NORTH) == "1 of 2"


@pytest.mark.parametrize(("membership", "hits"), [(20, "1 of 1"), (19, "none")])
def test_twenty_days_in_membership_are_needed(tmp_path: Path, membership: int, hits: str) -> None:
    result = Figures(tmp_path, {2025: {"sims": [days(1, 10, membership)]}})
    assert result.share("chronic_absenteeism", NORTH) == hits


def test_a_mover_within_a_district(tmp_path: Path) -> None:
    """12 and 12 days: too few for either school, enough for the district, and counted once there."""
    result = Figures(tmp_path, {2025: {"sims": [days(1, 3, 12, NORTH), days(1, 0, 12, SOUTH)]}})
    found = [result.share("chronic_absenteeism", org) for org in (NORTH, SOUTH, DISTRICT, STATE)]
    assert found == ["none", "none", "1 of 1", "1 of 1"]  # 3 of 24 days


def test_a_mover_between_districts(tmp_path: Path) -> None:
    """10 of 50 days absent in one district, 5 of 130 in the other: chronic in the first only (state: 15 of 180)."""
    result = Figures(tmp_path, {2025: {"sims": [days(1, 10, 50, NORTH), days(1, 5, 130, FAR)]}})
    found = [result.share("chronic_absenteeism", org) for org in (NORTH, DISTRICT, FAR, FAR_DISTRICT, STATE)]
    assert found == ["1 of 1", "1 of 1", "0 of 1", "0 of 1", "0 of 1"]


def test_days_are_added_within_a_gradespan(tmp_path: Path) -> None:
    """A grade 8 row and a grade 9 row in one year: each gradespan has its own days."""
    result = Figures(tmp_path, {2025: {"sims": [days(1, 10, 90, NORTH, "08"), days(1, 0, 90, SOUTH, "09")]}})
    assert result.share("chronic_absenteeism", DISTRICT, span="non_high") == "1 of 1"
    assert result.share("chronic_absenteeism", DISTRICT, span="high") == "0 of 1"
    result = Figures(tmp_path, {2025: {"sims": [days(1, 5, 12, NORTH, "08"), days(1, 0, 12, SOUTH, "09")]}})
    assert result.all == {}


@pytest.mark.parametrize("grade", ["PK", "KP", "KF", "KT", "SP"])
def test_other_grades_do_not_count(tmp_path: Path, grade: str) -> None:
    tables = {
        "sims": [sims(1, grade=grade), october(1, grade=grade)],
        "access": [access(1, grade=grade)],
        "course_schedules": [course(1)],
        "dropouts": [dropout(1)],
    }
    assert Figures(tmp_path, {2024: tables, 2025: tables}).all == {}


def test_only_end_of_year_rows_have_days_that_count(tmp_path: Path) -> None:
    rows = [days(1, 90, 180, period="march_1"), sims(2)]
    result = Figures(tmp_path, {2025: {"sims": rows}})
    assert result.share("chronic_absenteeism", NORTH) == "0 of 1"


def test_a_row_reported_by_the_district_itself_counts_its_days_once(tmp_path: Path) -> None:
    result = Figures(tmp_path, {2025: {"sims": [days(1, 5, 12, DISTRICT)]}})
    assert result.all == {}


# --- Progress toward English proficiency -----------------------------------------------------------------------------


def test_progress_counts_tested_students_with_an_earlier_test(tmp_path: Path) -> None:
    tests = [
        access(1, "1"),
        access(2, "0"),
        access(3, None),  # no earlier test
        access(4, "1", status="NTA"),  # not tested
        access(5, "1", grade="09"),  # the grade tested decides, not the grade in sims
        access(6, "1"),  # unknown to sims: no groups, so not counted
    ]
    rows = [sims(i, FAR, "05", "october_1", english_learner="01") for i in range(1, 6)]
    result = Figures(tmp_path, {2025: {"sims": rows, "access": tests}})
    assert result.share("el_progress", NORTH, "el_and_former_el") == "1 of 2"
    assert result.share("el_progress", NORTH, span="high") == "1 of 1"
    assert result.share("el_progress", FAR) == "none"  # the school of the test
    assert result.all[STATE, "non_high", "white", "el_progress"].data_year == 2025


# --- Cohorts ---------------------------------------------------------------------------------------------------------


def test_cohorts_lag_one_and_two_years(tmp_path: Path) -> None:
    delivered_2024 = [
        cohort(1, "graduated"),
        cohort(2, "still_enrolled"),
        cohort(3, "graduated", "5", 2023),
        cohort(4, "still_enrolled", "5", 2023),
        cohort(5, "completer", "5", 2023),
        cohort(6, "equivalency", "5", 2023, FAR),
        cohort(8, "dropout", "4", 2023),  # neither the four-year span of 2024 ...
        cohort(9, "dropout", "5", 2024),  # ... nor the five-year span of 2023
    ]
    delivered_2025 = [cohort(7, "dropout", "4", 2025), cohort(1, "graduated", "5", 2024)]
    tables = {2024: {"graduation_cohorts": delivered_2024}, 2025: {"graduation_cohorts": delivered_2025}}
    result = Figures(tmp_path, tables)
    four = result.all[STATE, "high", "all_students", "four_year_graduation"]
    five = result.all[STATE, "high", "all_students", "extended_engagement"]
    assert (four.numerator, four.denominator, four.data_year) == (1, 2, 2024)
    assert (five.numerator, five.denominator, five.data_year) == (2, 4, 2023)
    assert result.share("extended_engagement", DISTRICT, span="high") == "2 of 3"


def test_cohort_rows_carry_their_own_groups(tmp_path: Path) -> None:
    rows = [cohort(1, "graduated", english_learner="1", race_ethnicity="32"), cohort(2, "dropout", low_income="1")]
    tables = {"graduation_cohorts": rows, "sims": [sims(1, grade="12", disability="08")]}
    result = Figures(tmp_path, {2024: tables})
    assert result.share("four_year_graduation", STATE, "high_needs", "high") == "1 of 2"
    expected = {"all_students", "high_needs", "el_and_former_el", "low_income", "hispanic", "white"}
    assert result.groups("four_year_graduation") == expected


# --- Annual dropout --------------------------------------------------------------------------------------------------


def test_a_dropout_without_an_october_row_does_not_count(tmp_path: Path) -> None:
    rows = [october(1), october(2), sims(3, grade="10")]
    result = Figures(tmp_path, {2024: {"sims": rows, "dropouts": [dropout(1), dropout(3)]}})
    assert result.share("annual_dropout", NORTH, span="high") == "1 of 2"
    assert result.all[STATE, "high", "white", "annual_dropout"].data_year == 2024


def test_a_dropout_who_left_another_school_than_october_s(tmp_path: Path) -> None:
    """In North in October. Student 1 left South, of the same district; student 2 left another district's school."""
    rows = [october(1), october(2)]
    result = Figures(tmp_path, {2024: {"sims": rows, "dropouts": [dropout(1, SOUTH), dropout(2, FAR)]}})
    found = [result.share("annual_dropout", org, span="high") for org in (NORTH, SOUTH, DISTRICT, FAR_DISTRICT, STATE)]
    assert found == ["0 of 2", "none", "1 of 2", "none", "2 of 2"]


def test_the_grade_for_dropouts_is_that_of_the_october_row(tmp_path: Path) -> None:
    rows = [october(1, grade="08"), sims(1, grade="09"), october(2, grade="12"), sims(2, grade="SP")]
    result = Figures(tmp_path, {2024: {"sims": rows, "dropouts": [dropout(1), dropout(2)]}})
    assert result.share("annual_dropout", NORTH, span="high") == "1 of 1"
    assert result.share("annual_dropout", NORTH, "white", "high") == "1 of 1"


# --- Advanced coursework ---------------------------------------------------------------------------------------------


def test_advanced_coursework_counts_completed_courses_of_the_list(tmp_path: Path) -> None:
    rows = [sims(i, grade="11") for i in range(1, 6)]
    courses = [
        course(1),
        course(1, status="WTH"),
        course(2, status="WTH"),
        course(3, "04051"),  # not on the list
        course(4, school=FAR),  # at another school
        course(5, status="INC"),
    ]
    result = Figures(tmp_path, {2025: {"sims": rows, "course_schedules": courses}})
    assert result.share("advanced_coursework", NORTH, span="high") == "2 of 5"
    assert result.share("advanced_coursework", FAR, span="high") == "none"


def test_advanced_coursework_counts_enrolled_or_graduated_upper_grades(tmp_path: Path) -> None:
    rows = [
        sims(1, grade="12", enrollment_status="04"),
        sims(2, grade="11", enrollment_status="20"),  # transferred away ...
        sims(2, FAR, grade="11"),  # ... and counted where enrolled
        sims(3, grade="10"),
        sims(4, grade="12", period="march_1"),
    ]
    result = Figures(tmp_path, {2025: {"sims": rows, "course_schedules": [course(2), course(3)]}})
    found = [result.share("advanced_coursework", org, span="high") for org in (NORTH, FAR, STATE)]
    assert found == ["0 of 1", "1 of 1", "1 of 2"]


# --- What is missing -------------------------------------------------------------------------------------------------


def test_a_missing_year_or_collection_leaves_no_rows(tmp_path: Path) -> None:
    result = Figures(tmp_path, {2025: {"sims": [sims(1, grade="11")], "dropouts": [dropout(1)]}})
    assert {key[3] for key in result.all} == {"chronic_absenteeism"}
    assert Figures(tmp_path, {2024: {"sims": [october(1)]}}).all == {}
    assert Figures(tmp_path, {2024: {"dropouts": [dropout(1)]}}).all == {}
