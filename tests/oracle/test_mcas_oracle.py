"""Worked examples that pin achievement and growth to the rules in words.

The rows are those of handmade.py: a student in North all year, and what an example changes.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.oracle.handmade import (
    DISTRICT,
    FAR,
    FAR_DISTRICT,
    LEGACY,
    NORTH,
    SOUTH,
    AllFigures,
    Row,
    alternate,
    mcas,
    october,
    organisations,
    sims,
    subject,
    untested,
)
from tests.oracle.indicator_oracle import STATE, Figure, figure
from tests.oracle.policy_reader import PROJECT_POLICY

BEST, BEST_LEGACY = "science_highest_scaled_score", "science_highest_legacy_score"


def one(folder: Path, row: Row, *roll: Row, year: int = 2025) -> AllFigures:
    """A single tested student, by default in North all year."""
    students = list(roll) or [sims(1, row["school_code"], row["grade"])]
    return AllFigures(folder, {year: {"sims": students, "mcas": [row]}}, year)


# --- Values, measures and minimum n ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("total", "students", "measure", "value"),
    [
        (10001, 20, "scaled_score", "500.1"),  # 500.05: half goes up
        (10003, 20, "scaled_score", "500.2"),  # 500.15
        (1325, 20, "cpi", "66.3"),  # 66.25; the mean itself, not times 100
        (9999, 20, "scaled_score", "500.0"),  # 499.95
        (1001, 20, "mean_sgp", "50.1"),  # 50.05
        (10000, 21, "scaled_score", "476.2"),  # 476.190...
    ],
)
def test_means_have_one_decimal_half_up(total: int, students: int, measure: str, value: str) -> None:
    assert figure(total, students, 2025, 20, measure).value == Decimal(value)


@pytest.mark.parametrize(("students", "status"), [(19, "n_too_small"), (20, "ok")])
def test_nineteen_results_are_too_few_and_twenty_enough(tmp_path: Path, students: int, status: str) -> None:
    """Without a score a student is in neither the sum nor n; 20 scores: 480 to 499, 9790 / 20 = 489.5."""
    tested = [mcas(i, NORTH, "05", subject("ela", 480 + i, growth_percentile=10 + i)) for i in range(students)]
    absent = [mcas(i, NORTH, "05", untested("ela")) for i in range(20, 25)]
    rows = {"sims": [sims(i) for i in range(25)], "mcas": tested + absent}
    found = AllFigures(tmp_path, {2025: rows}).all
    total = sum(480 + i for i in range(students))
    value = Decimal("489.5") if students == 20 else None
    expected = Figure(total, students, students, value, 2025, status, "scaled_score")
    assert found[NORTH, "non_high", "all_students", "ela_achievement"] == expected
    mean = found[NORTH, "non_high", "all_students", "ela_growth"]
    assert (mean.status, mean.value, mean.measure) == (status, Decimal("19.5") if students == 20 else None, "mean_sgp")


def test_growth_has_a_minimum_of_its_own(tmp_path: Path) -> None:
    rows = [mcas(i, NORTH, "05", subject("math", 500, growth_percentile=50)) for i in range(20)]
    policy = PROJECT_POLICY.but("minimum_n", "growth", "21")
    result = AllFigures(tmp_path, {2025: {"sims": [sims(i) for i in range(20)], "mcas": rows}}, policy=policy)
    status = {key[3]: found.status for key, found in result.all.items() if key[:3] == (NORTH, "non_high", "white")}
    assert status == {"math_achievement": "ok", "math_growth": "n_too_small", "chronic_absenteeism": "ok"}


# --- Who has a result ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grade", "name", "spans"),
    [
        ("03", "ela", "non_high"),
        ("08", "math", "non_high"),
        ("10", "ela", "high"),
        ("05", "science", "non_high"),
        ("08", "science", "non_high"),
        ("10", "science", "high"),
        ("02", "ela", ""),
        ("09", "math", ""),
        ("11", "ela", ""),
        ("07", "science", ""),
        ("09", "science", ""),  # counts once, in grade 10
    ],
)
def test_grades_that_count_for_a_subject(tmp_path: Path, grade: str, name: str, spans: str) -> None:
    best = {"science_highest_scaled_score": 530} if grade == "09" else {}
    result = one(tmp_path, mcas(1, NORTH, grade, subject(name, 501), **best))
    for span in ("non_high", "high"):
        assert result.total(f"{name}_achievement", span=span) == ("501 of 1" if span == spans else "none")


def test_the_grade_is_that_of_the_test(tmp_path: Path) -> None:
    result = one(tmp_path, mcas(1, NORTH, "08", subject("ela", 501)), sims(1, NORTH, "09"))
    assert result.totals("ela_achievement") == {NORTH: "501 of 1", DISTRICT: "501 of 1", STATE: "501 of 1"}


@pytest.mark.parametrize("status", ["TR", "NTA", "NTM", "NTL", "NTO", None])
def test_only_tested_students_have_a_result(tmp_path: Path, status: str | None) -> None:
    row = mcas(1, NORTH, "05", subject("ela", 500, test_status=status, growth_percentile=40), subject("math", 510))
    result = one(tmp_path, row)
    found = [result.total(name) for name in ("ela_achievement", "ela_growth", "math_achievement")]
    assert found == ["none", "none", "510 of 1"]


def test_a_tested_student_without_a_score_has_no_result(tmp_path: Path) -> None:
    result = one(tmp_path, mcas(1, NORTH, "05", subject("ela", None)))
    assert result.total("ela_achievement") == "none"


def test_no_attempt_does_not_take_a_score_away(tmp_path: Path) -> None:
    """The attempt is a matter of participation alone."""
    result = one(tmp_path, mcas(1, NORTH, "05", subject("ela", 440, attempt="N")))
    assert result.total("ela_achievement") == "440 of 1"


# --- CPI -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("score", "points"),
    [(280, 100), (240, 100), (239, 75), (230, 75), (229, 50), (220, 50), (219, 25), (210, 25), (209, 0), (200, 0)],
)
def test_bands_of_the_legacy_score(tmp_path: Path, score: int, points: int) -> None:
    """2018: grade 10 took the legacy test."""
    result = one(tmp_path, mcas(1, NORTH, "10", subject("ela", score, **LEGACY)), year=2018)
    found = result.all[NORTH, "high", "all_students", "ela_achievement"]
    assert (found.numerator, found.n, found.measure) == (points, 1, "cpi")


def test_the_next_generation_test_of_2019_counts_by_its_legacy_equivalent(tmp_path: Path) -> None:
    linked = mcas(1, NORTH, "10", subject("ela", 499, legacy_equivalent=239), subject("math", 560))
    result = one(tmp_path, linked, year=2019)
    assert result.total("ela_achievement", span="high") == "75 of 1"
    assert result.total("math_achievement", span="high") == "none"  # no equivalent, no result


def test_only_the_measure_of_the_gradespan_matters(tmp_path: Path) -> None:
    """2019, grade 5: scaled scores in ELA although an equivalent is there, CPI in science."""
    row = mcas(
        1, NORTH, "05", subject("ela", 499, legacy_equivalent=238), subject("science", 483, legacy_equivalent=228)
    )
    result = one(tmp_path, row, year=2019)
    assert (result.total("ela_achievement"), result.total("science_achievement")) == ("499 of 1", "50 of 1")


@pytest.mark.parametrize(("level", "points"), [("PRG", 100), ("EMG", 75), ("AWR", 50), ("INC", 25), ("NSUB", 0)])
def test_alternate_assessment_by_its_level_or_its_composite(tmp_path: Path, level: str, points: int) -> None:
    row = mcas(1, NORTH, "10", alternate("ela", level, 470), alternate("math", level, None))
    result = one(tmp_path, row, year=2019)
    assert result.total("ela_achievement", span="high") == f"{points} of 1"
    assert result.total("math_achievement", span="high") == f"{points} of 1"  # the level is all that is needed
    result = one(tmp_path, row, year=2025)
    assert result.total("ela_achievement", span="high") == "470 of 1"
    assert result.total("math_achievement", span="high") == "none"


def test_cpi_needs_the_level_and_the_kind_of_test(tmp_path: Path) -> None:
    row = mcas(1, NORTH, "10", alternate("ela", None), subject("math", 250, assessment=None, legacy_equivalent=250))
    result = one(tmp_path, row, year=2019)
    assert result.total("ela_achievement", span="high") == "none"
    assert result.total("math_achievement", span="high") == "none"


def test_an_alternate_assessment_that_was_not_taken_has_no_result(tmp_path: Path) -> None:
    row = mcas(1, NORTH, "10", alternate("ela", "PRG") | {"ela_test_status": "NTA"})
    assert one(tmp_path, row, year=2019).total("ela_achievement", span="high") == "none"


# --- High school science ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("test", "best", "expected"),
    [
        (subject("science", 520), {BEST: 510}, "510 of 1"),  # delivered, so it is the best one
        (untested("science"), {BEST: 510}, "510 of 1"),
        (untested("science", None), {BEST: 510}, "510 of 1"),
        (alternate("science", "PRG", 460), {BEST: 510}, "510 of 1"),
        (subject("science", 520), {}, "520 of 1"),
        (subject("science", 520), {BEST_LEGACY: 250}, "520 of 1"),  # not the scale of the year
        (untested("science"), {BEST_LEGACY: 250}, "none"),
        (untested("science"), {}, "none"),
    ],
)
def test_best_science_result_in_a_year_of_scaled_scores(
    tmp_path: Path, test: Row, best: dict[str, int], expected: str
) -> None:
    result = one(tmp_path, mcas(1, NORTH, "10", test, **best))
    assert result.total("science_achievement", span="high") == expected


@pytest.mark.parametrize(
    ("test", "best", "expected"),
    [
        (untested("science"), {BEST_LEGACY: 230}, "75 of 1"),
        (subject("science", 250, **LEGACY), {BEST_LEGACY: 239}, "75 of 1"),
        (alternate("science", "NSUB"), {BEST_LEGACY: 240}, "100 of 1"),
        (subject("science", 250, **LEGACY), {BEST: 560}, "100 of 1"),  # the year's own test
        (subject("science", 500, legacy_equivalent=228), {}, "50 of 1"),
        (untested("science"), {BEST: 560}, "none"),
    ],
)
def test_best_science_result_in_a_cpi_year(tmp_path: Path, test: Row, best: dict[str, int], expected: str) -> None:
    result = one(tmp_path, mcas(1, NORTH, "10", test, **best), year=2021)
    assert result.total("science_achievement", span="high") == expected


def test_the_best_result_counts_in_grade_ten_only(tmp_path: Path) -> None:
    row = mcas(1, NORTH, "08", subject("science", 500), **{BEST: 510})
    assert one(tmp_path, row).total("science_achievement") == "500 of 1"


def test_a_delivery_without_the_legacy_column(tmp_path: Path) -> None:
    row = mcas(1, NORTH, "10", subject("science", 250, **LEGACY))
    del row[BEST_LEGACY]
    assert one(tmp_path, row, year=2018).total("science_achievement", span="high") == "100 of 1"


# --- Who counts where ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("roll", "counts_at"),
    [
        ([sims(1)], {NORTH, DISTRICT, STATE}),
        # Enrolled at the end of the year, not since October: the state alone.
        ([sims(1, enrolled_since_october="0")], {STATE}),
        ([sims(1, enrolled_since_october=None)], {STATE}),
        # In another school of the district in October.
        ([october(1, SOUTH, "05"), sims(1, enrolled_since_october="0")], {DISTRICT, STATE}),
        # In October at this very school, with a break: the district's rule alone is met.
        ([october(1, NORTH, "05"), sims(1, enrolled_since_october="0")], {DISTRICT, STATE}),
        # In another district in October, or all year.
        ([october(1, FAR, "05"), sims(1, enrolled_since_october="0")], {STATE}),
        ([sims(1, FAR)], {STATE}),
        # All year at another school of the district: that is not the school of the test, and no October row.
        ([sims(1, SOUTH)], {STATE}),
        # Tested in North, in October and since in South.
        ([october(1, SOUTH, "05"), sims(1, SOUTH)], {DISTRICT, STATE}),
        # Only the end-of-year row speaks for the year.
        ([sims(1, period="march_1", enrolled_since_october="1")], {STATE}),
        ([october(1, NORTH, "05", enrolled_since_october="1")], {DISTRICT, STATE}),
    ],
)
def test_full_year(tmp_path: Path, roll: list[Row], counts_at: set[str]) -> None:
    result = one(tmp_path, mcas(1, NORTH, "05", subject("ela", 500, growth_percentile=44)), *roll)
    assert result.totals("ela_achievement") == dict.fromkeys(counts_at, "500 of 1")
    assert result.totals("ela_growth") == dict.fromkeys(counts_at, "44 of 1")


def test_everyone_counts_in_a_district_with_one_school(tmp_path: Path) -> None:
    row = mcas(1, FAR, "05", subject("ela", 500))
    late = sims(1, FAR, enrolled_since_october="0")
    counts = dict.fromkeys((FAR, FAR_DISTRICT, STATE), "500 of 1")
    assert one(tmp_path, row, late).totals("ela_achievement") == counts
    elsewhere = sims(1, NORTH, period="march_1")
    assert one(tmp_path, row, elsewhere).totals("ela_achievement") == counts


def test_a_second_school_ends_the_exception(tmp_path: Path) -> None:
    tables = {"sims": [sims(1, FAR, enrolled_since_october="0")], "mcas": [mcas(1, FAR, "05", subject("ela", 500))]}
    result = AllFigures(tmp_path, {2025: tables | {"organisations": organisations("00020010")}})
    assert result.totals("ela_achievement") == {STATE: "500 of 1"}


def test_the_words_of_full_year_are_policy(tmp_path: Path) -> None:
    rows = {"sims": [sims(1, enrolled_since_october="0")], "mcas": [mcas(1, NORTH, "05", subject("ela", 500))]}
    policy = PROJECT_POLICY.but("full_year", "school", "all_tested")
    found = AllFigures(tmp_path, {2025: rows}, policy=policy).totals("ela_achievement")
    assert found == dict.fromkeys((NORTH, STATE), "500 of 1")


def test_first_year_english_learners_count_nowhere(tmp_path: Path) -> None:
    row = mcas(1, NORTH, "05", subject("ela", 500, growth_percentile=50), subject("science", 500))
    result = one(tmp_path, row, sims(1, el_first_year="01", english_learner="01"))
    assert {key[3] for key in result.all} == {"chronic_absenteeism"}


def test_first_year_is_read_from_the_row_that_speaks_for_the_student(tmp_path: Path) -> None:
    row = mcas(1, NORTH, "05", subject("ela", 500))
    before = october(1, NORTH, "05", el_first_year="01")
    assert one(tmp_path, row, before, sims(1)).total("ela_achievement") == "500 of 1"
    assert one(tmp_path, row, sims(1), sims(1, SOUTH, el_first_year="01")).total("ela_achievement", STATE) == "none"


def test_a_student_without_a_sims_row_counts_nowhere(tmp_path: Path) -> None:
    assert one(tmp_path, mcas(1, NORTH, "05", subject("ela", 500)), sims(2)).total("ela_achievement", STATE) == "none"


def test_groups_are_those_of_the_attributes(tmp_path: Path) -> None:
    tables = {
        "sims": [sims(1, low_income="01"), sims(2, race_ethnicity="40")],
        "mcas": [mcas(1, NORTH, "05", subject("ela", 510)), mcas(2, NORTH, "05", subject("ela", 490))],
    }
    result = AllFigures(tmp_path, {2025: tables})
    rows = {group: result.total("ela_achievement", NORTH, group) for group in ("high_needs", "hispanic", "asian")}
    assert rows == {"high_needs": "510 of 1", "hispanic": "490 of 1", "asian": "none"}
    assert result.total("ela_achievement") == "1000 of 2"


def test_a_school_with_both_gradespans(tmp_path: Path) -> None:
    """One kindergarten to grade 12 school: a row each, by the grade of the test."""
    rows = [mcas(1, NORTH, "08", subject("ela", 480)), mcas(2, NORTH, "10", subject("ela", 520))]
    result = AllFigures(tmp_path, {2025: {"sims": [sims(1), sims(2, grade="10")], "mcas": rows}})
    assert result.total("ela_achievement") == "480 of 1"
    assert result.total("ela_achievement", span="high") == "520 of 1"


# --- Growth ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grade", "test", "expected"),
    [
        ("04", {"growth_percentile": 1}, "1 of 1"),
        ("10", {"growth_percentile": 99}, "99 of 1"),
        ("03", {"growth_percentile": 50}, "none"),
        ("09", {"growth_percentile": 50}, "none"),
        ("05", {"growth_percentile": None}, "none"),
        ("05", {"growth_percentile": 50, "scaled_score": None}, "50 of 1"),  # no score needed, only the percentile
        ("05", {"growth_percentile": 50, "assessment": "AL"}, "none"),
    ],
)
def test_who_counts_for_growth(tmp_path: Path, grade: str, test: dict[str, Any], expected: str) -> None:
    result = one(tmp_path, mcas(1, NORTH, grade, subject("math", **({"score": 500} | renamed(test)))))
    assert result.total("math_growth", span="high" if grade >= "09" else "non_high") == expected


def renamed(test: dict[str, Any]) -> dict[str, Any]:
    return {"score" if name == "scaled_score" else name: value for name, value in test.items()}
