"""Worked examples that pin the second computation of participation to the rules in words.

The rows are those of handmade.py: a student of grade 5 in North, and what an example changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.oracle.handmade import (
    DISTRICT,
    FAR,
    FAR_DISTRICT,
    NORTH,
    SOUTH,
    Row,
    access,
    alternate,
    mcas,
    october,
    sims,
    subject,
    untested,
    write,
)
from tests.oracle.indicator_oracle import STATE
from tests.oracle.participation_oracle import ParticipationFigure, ParticipationKey, participation
from tests.oracle.policy_reader import PROJECT_POLICY, Policy

TESTED, NOT_TESTED, LEFT_OUT = "1 of 1", "0 of 1", "none"
BEST, BEST_LEGACY = "science_highest_scaled_score", "science_highest_legacy_score"


class Participation:
    """Computes the participation of 2025 from rows given as `year: {collection: rows}`."""

    def __init__(
        self, folder: Path, deliveries: Mapping[int, Mapping[str, list[Row]]], policy: Policy = PROJECT_POLICY
    ) -> None:
        self.all: dict[ParticipationKey, ParticipationFigure] = participation(
            2025, write(folder, deliveries), policy=policy
        )

    def total(self, name: str, org: str = NORTH, group: str = "all_students", span: str = "non_high") -> str:
        """ "tested of those who should have been", or "none" where there is no row."""
        found = self.all.get((org, span, group, name))
        return f"{found.tested} of {found.should_test}" if found else "none"


def one(folder: Path, row: Row, *roll: Row, tests: list[Row] | None = None) -> Participation:
    """A single student; `tests` are rows of access."""
    tables = {"sims": list(roll) or [sims(1, row["school_code"], row["grade"])], "mcas": [row]}
    return Participation(folder, {2025: tables | ({"access": tests} if tests else {})})


def school(tested: int, not_tested: int, first: int = 0, at: str = NORTH) -> dict[str, list[Row]]:
    """Students of one school, tested in English language arts or not."""
    parts = [subject("ela")] * tested + [untested("ela")] * not_tested
    numbered = list(enumerate(parts, first))
    return {"sims": [sims(i, at) for i, _ in numbered], "mcas": [mcas(i, at, "05", part) for i, part in numbered]}


# --- Who should have been tested, and who was ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "attempt", "expected"),
    [
        ("T", "F", TESTED),
        ("T", "P", TESTED),
        ("T", None, TESTED),
        ("T", "N", NOT_TESTED),
        ("TR", "N", LEFT_OUT),
        ("TR", "F", LEFT_OUT),
        ("NTA", "N", NOT_TESTED),
        ("NTA", "F", NOT_TESTED),  # an attempt makes no test of an absence
        ("NTM", None, LEFT_OUT),
        ("NTL", "N", NOT_TESTED),
        ("NTO", "N", NOT_TESTED),
        (None, None, LEFT_OUT),
        (None, "F", LEFT_OUT),
    ],
)
@pytest.mark.parametrize("name", ["ela", "math", "science"])
def test_statuses_and_attempts(
    tmp_path: Path, name: str, status: str | None, attempt: str | None, expected: str
) -> None:
    result = one(tmp_path, mcas(1, NORTH, "05", subject(name, test_status=status, attempt=attempt)))
    assert result.total(name) == expected
    assert {key[3] for key in result.all} <= {name}  # the other subjects' statuses are empty


def test_subjects_stand_apart_and_a_score_is_not_needed(tmp_path: Path) -> None:
    result = one(tmp_path, mcas(1, NORTH, "05", subject("ela", None), untested("math"), alternate("science", "NSUB")))
    assert [result.total(name) for name in ("ela", "math", "science")] == [TESTED, NOT_TESTED, TESTED]


def test_what_a_status_means_is_policy(tmp_path: Path) -> None:
    tables = {"sims": [sims(1)], "mcas": [mcas(1, NORTH, "05", untested("ela", "NTM"))]}
    policy = PROJECT_POLICY.but("participation_status", "NTM", "not_tested")
    assert Participation(tmp_path, {2025: tables}, policy).total("ela") == NOT_TESTED


@pytest.mark.parametrize(
    ("grade", "counted"),
    [
        ("02", {}),
        ("03", {"ela": "non_high", "math": "non_high"}),
        ("08", {"ela": "non_high", "math": "non_high", "science": "non_high"}),
        ("09", {}),  # not even science
        ("10", {"ela": "high", "math": "high", "science": "high"}),
        ("11", {}),
    ],
)
def test_grades(tmp_path: Path, grade: str, counted: dict[str, str]) -> None:
    row = mcas(1, NORTH, grade, subject("ela"), subject("math"), subject("science"))
    assert {(key[3], key[1]) for key in one(tmp_path, row).all} == set(counted.items())


def test_there_is_no_full_year_rule(tmp_path: Path) -> None:
    """Arrived from another district, tested in North: counts there, at its district and the state."""
    row = mcas(1, NORTH, "05", subject("ela"))
    result = one(tmp_path, row, october(1, FAR, "05"), sims(1, SOUTH, enrolled_since_october="0"))
    found = {org for org in (NORTH, SOUTH, DISTRICT, FAR, FAR_DISTRICT, STATE) if result.total("ela", org) == TESTED}
    assert found == {NORTH, DISTRICT, STATE}


def test_a_student_without_a_sims_row_is_left_out(tmp_path: Path) -> None:
    assert one(tmp_path, mcas(1, NORTH, "05", subject("ela")), sims(2)).all == {}


def test_groups_are_the_twelve_of_the_attributes(tmp_path: Path) -> None:
    row = mcas(1, NORTH, "05", subject("ela"))
    result = one(tmp_path, row, sims(1, disability="08", race_ethnicity="03"))
    assert {key[2] for key in result.all} == {"all_students", "asian", "high_needs", "students_with_disabilities"}


def test_a_school_with_both_gradespans(tmp_path: Path) -> None:
    rows = [mcas(1, NORTH, "08", subject("ela")), mcas(2, NORTH, "10", untested("ela"))]
    result = Participation(tmp_path, {2025: {"sims": [sims(1), sims(2)], "mcas": rows}})
    assert (result.total("ela"), result.total("ela", span="high")) == (TESTED, NOT_TESTED)


# --- First-year English learners -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("test", "tests", "expected"),
    [
        (untested("ela", "NTL"), [access(1)], TESTED),
        (untested("ela", "NTA"), [access(1, None)], TESTED),  # any reason; an earlier test is not needed
        (subject("ela", attempt="N"), [access(1)], TESTED),
        (untested("ela", "NTL"), [access(1, status="NTA")], NOT_TESTED),
        (untested("ela", "NTL"), [access(2)], NOT_TESTED),
        (untested("ela", "NTL"), [], NOT_TESTED),
        (untested("ela", "NTM"), [access(1)], LEFT_OUT),
        (untested("ela", None), [access(1)], LEFT_OUT),
        (subject("ela"), [access(1, status="NTA")], TESTED),
    ],
)
def test_access_stands_in_for_first_year_learners(tmp_path: Path, test: Row, tests: list[Row], expected: str) -> None:
    row = mcas(1, NORTH, "05", test)
    assert one(tmp_path, row, sims(1, el_first_year="01", english_learner="01"), tests=tests).total("ela") == expected


@pytest.mark.parametrize("name", ["math", "science"])
def test_access_stands_in_for_every_subject(tmp_path: Path, name: str) -> None:
    row = mcas(1, NORTH, "05", untested(name, "NTA"))
    assert one(tmp_path, row, sims(1, el_first_year="01"), tests=[access(1)]).total(name) == TESTED


def test_access_does_not_stand_in_for_other_learners(tmp_path: Path) -> None:
    row = mcas(1, NORTH, "05", untested("ela", "NTL"))
    earlier = october(1, NORTH, "05", el_first_year="01")  # not the row that speaks for the student
    assert one(tmp_path, row, earlier, sims(1, english_learner="01"), tests=[access(1)]).total("ela") == NOT_TESTED


# --- High school science ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("test", "best", "expected"),
    [
        (untested("science", None), {BEST: 440}, TESTED),
        (untested("science", None), {BEST_LEGACY: 200}, TESTED),  # either scale, in any year
        (untested("science", "NTA"), {BEST: 500}, TESTED),
        (untested("science", "TR"), {BEST: 500}, TESTED),
        (subject("science", attempt="N"), {BEST: 500}, TESTED),
        (untested("science", None), {}, NOT_TESTED),
        (untested("science", "NTM"), {}, LEFT_OUT),
        (subject("science"), {}, TESTED),
        (subject("science", attempt="N"), {}, NOT_TESTED),
    ],
)
def test_high_school_science(tmp_path: Path, test: Row, best: dict[str, int], expected: str) -> None:
    assert one(tmp_path, mcas(1, NORTH, "10", test, **best)).total("science", span="high") == expected


def test_access_stands_in_for_an_empty_science_status_of_grade_ten(tmp_path: Path) -> None:
    row = mcas(1, NORTH, "10", subject("ela"))
    result = one(tmp_path, row, sims(1, grade="10", el_first_year="01"), tests=[access(1, grade="10")])
    assert result.total("science", span="high") == TESTED


def test_a_best_result_is_for_grade_ten(tmp_path: Path) -> None:
    result = one(tmp_path, mcas(1, NORTH, "08", untested("science", "NTA"), **{BEST: 500}))
    assert result.total("science") == NOT_TESTED


# --- Rates -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tested", "not_tested", "rate"),
    [
        (189, 11, 95),  # 94.5: half goes up
        (188, 12, 94),
        (38, 2, 95),
        (1, 39, 3),  # 2.5
        (20, 0, 100),
        (0, 20, 0),
    ],
)
def test_whole_percent_half_up(tmp_path: Path, tested: int, not_tested: int, rate: int) -> None:
    n = tested + not_tested
    result = Participation(tmp_path, {2025: school(tested, not_tested)})
    expected = ParticipationFigure(n, tested, not_tested, n, rate, "ok", None, None, None, "no_prior_year")
    assert result.all[NORTH, "non_high", "all_students", "ela"] == expected


def test_nineteen_are_too_few(tmp_path: Path) -> None:
    """Too few this year stays too few, even where two years together are enough."""
    result = Participation(tmp_path, {2024: school(30, 10), 2025: school(18, 1)})
    expected = ParticipationFigure(19, 18, 1, 19, None, "n_too_small", 59, 48, None, "n_too_small")
    assert result.all[NORTH, "non_high", "all_students", "ela"] == expected
    alone = Participation(tmp_path, {2025: school(18, 1)})
    expected = ParticipationFigure(19, 18, 1, 19, None, "n_too_small", None, None, None, "n_too_small")
    assert alone.all[NORTH, "non_high", "all_students", "ela"] == expected


def test_two_years_are_pooled_from_the_counts(tmp_path: Path) -> None:
    """18 of 20, and 99 of 100 the year before: 117 of 120 is 97.5, not the mean of 90 and 99."""
    result = Participation(tmp_path, {2024: school(99, 1, 500), 2025: school(18, 2)})
    expected = ParticipationFigure(20, 18, 2, 20, 90, "ok", 120, 117, 98, "ok")
    assert result.all[NORTH, "non_high", "all_students", "ela"] == expected


def test_a_small_year_before_is_pooled_all_the_same(tmp_path: Path) -> None:
    result = Participation(tmp_path, {2024: school(0, 1), 2025: school(20, 0)})
    found = result.all[NORTH, "non_high", "all_students", "ela"]
    assert (found.two_year_tested, found.two_year_should_test, found.two_year_rate) == (20, 21, 95)


def test_a_cell_without_the_year_before(tmp_path: Path) -> None:
    """The school is new, the state is not; nobody of the group was in the state last year."""
    now = {"sims": [sims(i, race_ethnicity="03") for i in range(20)], "mcas": school(20, 0)["mcas"]}
    result = Participation(tmp_path, {2024: school(10, 10, at=FAR), 2025: now})
    cells = {
        (org, group): result.all[org, "non_high", group, "ela"]
        for org in (NORTH, STATE)
        for group in ("all_students", "asian")
    }
    assert {cell: (found.two_year_rate, found.two_year_status) for cell, found in cells.items()} == {
        (NORTH, "all_students"): (None, "no_prior_year"),
        (NORTH, "asian"): (None, "no_prior_year"),
        (STATE, "all_students"): (75, "ok"),
        (STATE, "asian"): (None, "no_prior_year"),
    }


def test_only_students_who_should_have_been_tested_make_a_row_of_the_year_before(tmp_path: Path) -> None:
    before = {"sims": [sims(1)], "mcas": [mcas(1, NORTH, "05", untested("ela", "TR"))]}
    found = Participation(tmp_path, {2024: before, 2025: school(20, 0)}).all[NORTH, "non_high", "all_students", "ela"]
    assert found.two_year_status == "no_prior_year"


def test_the_year_before_by_its_own_records_groups_and_policy(tmp_path: Path) -> None:
    """Student 1 was a first-year learner with ACCESS then; 2024 left absences out, 2025 does not."""
    before = {
        "sims": [sims(1, el_first_year="01", english_learner="01"), sims(2)],
        "mcas": [mcas(1, NORTH, "05", untested("ela", "NTL")), mcas(2, NORTH, "05", untested("ela", "NTA"))],
        "access": [access(1)],
    }
    policy = PROJECT_POLICY.but("participation_status", "NTA", "left_out", "2024")
    found = Participation(tmp_path, {2024: before, 2025: school(19, 1)}, policy).all
    everyone, learners = (
        found.get((NORTH, "non_high", group, "ela")) for group in ("all_students", "el_and_former_el")
    )
    assert everyone
    assert (everyone.two_year_tested, everyone.two_year_should_test) == (20, 21)
    assert learners is None  # a group of last year alone has no row
    assert not Participation(tmp_path, {2024: before}).all
