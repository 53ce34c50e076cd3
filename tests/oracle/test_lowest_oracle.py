"""Worked examples that pin the group of the lowest performing students to the rules in words.

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
    LEGACY,
    NORTH,
    SOUTH,
    AllFigures,
    Row,
    alternate,
    mcas,
    sims,
    subject,
    untested,
)
from tests.oracle.indicator_oracle import STATE
from tests.oracle.policy_reader import PROJECT_POLICY, Policy

LOWEST, BEST = "lowest_performing", "science_highest_scaled_score"


# --- Lowest performing, non-high -------------------------------------------------------------------------------------


def lowest(folder: Path, prior: list[Row], now: list[Row] | None = None, roll: list[Row] | None = None) -> AllFigures:
    """Last year's rows; by default each student is in grade 5 of North this year, scoring 500 + number."""
    students = [int(row["sasid"]) for row in prior]
    now = now or [mcas(i, NORTH, "05", subject("ela", 500 + i)) for i in students]
    before = {"sims": [sims(i, grade="04") for i in students], "mcas": prior}
    return AllFigures(folder, {2024: before, 2025: {"sims": roll or [sims(i) for i in students], "mcas": now}})


def prior(student: int, ela: int | None, math: int | None = None, school: str = NORTH) -> Row:
    parts = [subject(name, score) for name, score in (("ela", ela), ("math", math)) if score is not None]
    return mcas(student, school, "04", *parts)


def chosen(result: AllFigures, org: str = NORTH, indicator: str = "ela_achievement") -> str:
    return result.total(indicator, org, LOWEST)


@pytest.mark.parametrize(
    ("scores", "students"),
    [
        ([460, 470, 480, 490], [1]),  # rank 1 of 4
        ([460, 470, 480], []),  # a quarter of three is less than one
        ([460, 461, 480, 481, 482, 483, 484], [1]),  # 1.75
        ([460, 461, 480, 481, 482, 483, 484, 485], [1, 2]),
        ([460, 480, 480, 481, 482, 483, 484, 485], [1, 2, 3]),  # ties have their lowest rank, 2: in together
        ([460, 461, 480, 480, 482, 483, 484, 485], [1, 2]),  # ranks 3 and 3: out together
        ([470, 470, 470, 470, 470, 470, 470, 470], [1, 2, 3, 4, 5, 6, 7, 8]),  # all have rank 1
    ],
)
def test_the_quarter_and_its_ties(tmp_path: Path, scores: list[int], students: list[int]) -> None:
    result = lowest(tmp_path, [prior(i, score) for i, score in enumerate(scores, 1)])
    expected = f"{sum(500 + i for i in students)} of {len(students)}" if students else "none"
    assert chosen(result) == chosen(result, DISTRICT) == chosen(result, STATE) == expected
    assert result.total("chronic_absenteeism", NORTH, LOWEST) == (f"0 of {len(students)}" if students else "none")


def test_the_ranking_figure_is_the_mean_or_the_one_result_there_is(tmp_path: Path) -> None:
    """1: 485.5; 2: 486 from mathematics alone; 3: no result, no candidate; 4 and 5: 500."""
    rows = [prior(1, 480, 491), prior(2, None, 486), prior(3, None), prior(4, 500), prior(5, 500)]
    assert chosen(lowest(tmp_path, rows)) == "501 of 1"


def test_only_tested_results_of_last_year_rank(tmp_path: Path) -> None:
    """1: absent, with a score that does not count; 2: MCAS-Alt by its composite."""
    absent = mcas(1, NORTH, "04", subject("ela", 440, test_status="NTA"))
    rows = [absent, mcas(2, NORTH, "04", alternate("ela", "AWR", 450)), *(prior(i, 480) for i in (3, 4, 5))]
    assert chosen(lowest(tmp_path, rows)) == "502 of 1"


def test_grades_are_ranked_apart_and_together_make_the_group(tmp_path: Path) -> None:
    rows = [prior(i, 440 + i) for i in range(1, 9)]
    now = [mcas(i, NORTH, "05" if i <= 4 else "06", subject("math", 500 + i)) for i in range(1, 9)]
    assert chosen(lowest(tmp_path, rows, now), indicator="math_achievement") == "1006 of 2"  # 1 and 5


def test_the_same_school_for_a_school_the_same_district_for_a_district(tmp_path: Path) -> None:
    """Last year 1 was in Far, 2 in South; 3 to 10 in North."""
    rows = [prior(1, 441, school=FAR), prior(2, 442, school=SOUTH), *(prior(i, 440 + i) for i in range(3, 11))]
    result = lowest(tmp_path, rows)
    found = {org: chosen(result, org) for org in (NORTH, DISTRICT, STATE)}
    assert found == {NORTH: "1007 of 2", DISTRICT: "1005 of 2", STATE: "1003 of 2"}
    # of 8: 3 and 4; of 9: 2 and 3; of 10: 1 and 2


def test_candidates_count_at_the_place_this_year(tmp_path: Path) -> None:
    """Student 1 came late and is a candidate of the state alone."""
    rows = [prior(i, 440 + i) for i in range(1, 6)]
    roll = [sims(1, enrolled_since_october="0"), *(sims(i) for i in range(2, 6))]
    result = lowest(tmp_path, rows, roll=roll)
    assert [chosen(result, org) for org in (NORTH, DISTRICT, STATE)] == ["502 of 1", "502 of 1", "501 of 1"]


def test_candidates_need_no_result_of_this_year(tmp_path: Path) -> None:
    """Student 1 is absent from this year's test: chosen, but only absence counts."""
    rows = [prior(i, 440 + i) for i in range(1, 5)]
    now = [mcas(1, NORTH, "05", untested("ela")), *(mcas(i, NORTH, "05", subject("ela", 500)) for i in range(2, 5))]
    result = lowest(tmp_path, rows, now)
    assert chosen(result) == "none"
    assert chosen(result, indicator="chronic_absenteeism") == "0 of 1"


def test_members_count_for_an_indicator_by_its_own_rule(tmp_path: Path) -> None:
    """Of members 1 and 2 one has a growth percentile, one enough days, and science is not for these grades."""
    rows = [prior(i, 440 + i) for i in range(1, 9)]
    growth = {1: 30, 2: None}
    now = [
        mcas(i, NORTH, "05", subject("ela", 500, growth_percentile=growth.get(i, 60)), subject("science", 500))
        for i in range(1, 9)
    ]
    roll = [sims(1, days_in_membership=19, days_in_attendance=0), *(sims(i) for i in range(2, 9))]
    result = lowest(tmp_path, rows, now, roll)
    assert chosen(result) == "1000 of 2"
    assert chosen(result, indicator="ela_growth") == "30 of 1"
    assert chosen(result, indicator="chronic_absenteeism") == "0 of 1"
    assert {key[3] for key in result.all if key[2] == LOWEST} == {
        "ela_achievement",
        "ela_growth",
        "chronic_absenteeism",
    }


def test_first_year_learners_of_last_year_are_candidates_and_those_of_this_year_are_not(tmp_path: Path) -> None:
    rows = [prior(i, 440 + i) for i in range(1, 6)]
    roll = [sims(1, el_first_year="01"), *(sims(i) for i in range(2, 6))]
    before = {"sims": [sims(i, el_first_year="01") for i in range(1, 6)], "mcas": rows}
    now = {"sims": roll, "mcas": [mcas(i, NORTH, "05", subject("ela", 500 + i)) for i in range(1, 6)]}
    assert chosen(AllFigures(tmp_path, {2024: before, 2025: now})) == "502 of 1"


def test_no_year_before_no_group(tmp_path: Path) -> None:
    rows = {"sims": [sims(1)], "mcas": [mcas(1, NORTH, "05", subject("ela", 500))]}
    for deliveries in ({2025: rows}, {2024: {"sims": [sims(1)]}, 2025: rows}):
        assert LOWEST not in {key[2] for key in AllFigures(tmp_path, deliveries).all}


def test_twenty_members_are_needed(tmp_path: Path) -> None:
    for students, status in ((79, "n_too_small"), (80, "ok")):
        rows = [prior(i, 460 + i) for i in range(1, students + 1)]
        found = lowest(tmp_path, rows).all[NORTH, "non_high", LOWEST, "ela_achievement"]
        assert (found.n, found.status, found.measure) == (students // 4, status, "scaled_score")
        assert found.value == (Decimal("510.5") if students == 80 else None)


# --- Lowest performing, high -----------------------------------------------------------------------------------------


def tenth(student: int, *parts: Row, **other: Any) -> Row:
    return mcas(student, NORTH, "10", *parts, **other)


def high(folder: Path, rows: list[Row], year: int = 2025, policy: Policy = PROJECT_POLICY) -> AllFigures:
    roll = [sims(int(row["sasid"]), row["school_code"], row["grade"]) for row in rows]
    return AllFigures(folder, {year: {"sims": roll, "mcas": rows}}, year, policy)


def test_tenth_graders_are_ranked_by_this_year_s_results(tmp_path: Path) -> None:
    """1: 500 on average; 2: 499 from mathematics; 3: 499.5; 4: absent, no candidate; 5: better."""
    rows = [
        tenth(1, subject("ela", 480), subject("math", 520)),
        tenth(2, untested("ela"), subject("math", 499)),
        tenth(3, subject("ela", 499), subject("math", 500)),
        tenth(4, untested("ela"), untested("math")),
        tenth(5, subject("ela", 530), subject("math", 530)),
    ]
    result = high(tmp_path, rows)
    assert result.total("math_achievement", NORTH, LOWEST, "high") == "499 of 1"
    assert result.total("ela_achievement", NORTH, LOWEST, "high") == "none"  # member 2 was absent
    assert result.total("chronic_absenteeism", STATE, LOWEST, "high") == "0 of 1"


def test_science_of_the_lowest_in_high_school_reports_of_schools_only(tmp_path: Path) -> None:
    rows = [tenth(i, subject("ela", 480 + i), untested("science"), **{BEST: 500 + i}) for i in range(1, 5)]
    result = high(tmp_path, rows)
    found = {org: result.total("science_achievement", org, LOWEST, "high") for org in (NORTH, DISTRICT, STATE)}
    assert found == {NORTH: "501 of 1", DISTRICT: "none", STATE: "none"}


def test_in_a_cpi_year_the_legacy_scale_ranks(tmp_path: Path) -> None:
    """AllFigures of 2019: 1: 231 (MCAS-Alt as 230, and 232); 2: 229; 3: 230; 4: 240; the scaled scores would say 4."""
    rows = [
        tenth(1, alternate("ela", "EMG", 560), subject("math", 232, **LEGACY)),
        tenth(2, subject("ela", 540, legacy_equivalent=228), subject("math", 540, legacy_equivalent=230)),
        tenth(3, subject("ela", 500, legacy_equivalent=230), subject("math", 500)),  # no equivalent, no result
        tenth(4, alternate("ela", "PRG", 440)),
    ]
    result = high(tmp_path, rows, 2019)
    assert result.total("ela_achievement", NORTH, LOWEST, "high") == "50 of 1"
    assert result.total("math_achievement", NORTH, LOWEST, "high") == "75 of 1"


def test_of_several_bands_with_the_same_points_the_highest_ranks(tmp_path: Path) -> None:
    """EMG has 75 points and ranks as 230; with a second band of 75 points from 235 on it ranks above student 2."""
    others = [tenth(i, subject("ela", 230 + i, growth_percentile=i, **LEGACY)) for i in (2, 6, 8)]
    rows = [tenth(1, alternate("ela", "EMG")), *others]
    assert high(tmp_path, rows, 2018).total("ela_growth", NORTH, LOWEST, "high") == "none"
    policy = PROJECT_POLICY.but("cpi_legacy_score", "235", "75")
    assert high(tmp_path, rows, 2018, policy).total("ela_growth", NORTH, LOWEST, "high") == "2 of 1"


@pytest.mark.parametrize(
    ("year", "org", "status"),
    [
        (2023, NORTH, "not_applicable"),
        (2023, DISTRICT, "not_applicable"),
        (2024, NORTH, "ok"),
        (2018, NORTH, "ok"),
        (2018, STATE, "not_applicable"),
        (2020, NORTH, None),
    ],
)
def test_levels_and_years_of_the_group(tmp_path: Path, year: int, org: str, status: str | None) -> None:
    """80 tenth graders, scores 201 to 280 in a CPI year and 441 to 520 in others: the lowest 20.

    Their points: nine with 0, ten with 25, and 220 with 50 make 300.
    """
    base, kind = (200, LEGACY) if year == 2018 else (440, {})
    rows = [tenth(i, subject("ela", base + i, **kind)) for i in range(1, 81)]
    found = high(tmp_path, rows, year).all.get((org, "high", LOWEST, "ela_achievement"))
    assert (found.status if found else None) == status
    if found:
        assert found.n == 20
        value = "15.0" if year == 2018 else "450.5"
        assert found.value == Decimal(value)


def test_too_few_in_a_group_that_is_not_reported(tmp_path: Path) -> None:
    rows = [tenth(i, subject("ela", 440 + i)) for i in range(1, 5)]
    found = high(tmp_path, rows, 2023).all[NORTH, "high", LOWEST, "ela_achievement"]
    assert (found.status, found.value, found.n) == ("n_too_small", None, 1)


def test_the_word_none_leaves_no_row(tmp_path: Path) -> None:
    rows = [tenth(i, subject("ela", 440 + i)) for i in range(1, 5)]
    policy = PROJECT_POLICY.but("lowest_performing", "school_high", "none", "2025")
    places = {key[0] for key in high(tmp_path, rows, policy=policy).all if key[2] == LOWEST}
    assert places == {DISTRICT, STATE}
