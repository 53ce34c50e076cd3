"""Target percentages, as worked examples of the chain column - gradespan - annual - cumulative (rulebook section 7)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.determinations.percentage_rules import PercentageRules, percentage_rules
from orchestration.determinations.percentages import (
    ColumnScore,
    Percentage,
    Place,
    annual_percentage,
    cumulative_percentage,
    gradespan_percentage,
    score_column,
)
from orchestration.errors import InputError
from tests.support.determinations import REGISTER, changed

YEARS = (2018, 2019, 2023, 2024, 2025)
SHORT = {
    "ela": "ela_achievement",
    "math": "math_achievement",
    "science": "science_achievement",
    "ela_sgp": "ela_growth",
    "math_sgp": "math_growth",
    "graduation": "four_year_graduation",
    "engagement": "extended_engagement",
    "dropout": "annual_dropout",
    "el": "el_progress",
    "absence": "chronic_absenteeism",
    "courses": "advanced_coursework",
}


@cache
def rules(year: int) -> PercentageRules:
    return percentage_rules(REGISTER, year)


def column(year: int, gradespan: str, group: str = "all_students", **points: int) -> ColumnScore:
    place = Place("00010000", gradespan, group)
    return score_column(place, {SHORT[name]: value for name, value in points.items()}, rules(year))


def standing(year: int, kept: str | None, gradespan: str = "high", status: str = "ok") -> Percentage:
    """A percentage that stands for a whole chain before it."""
    step = column(year, gradespan, ela=0).percentage.step
    value = None if kept is None else Decimal(kept)
    return Percentage(value, value, status, Place("00010000", gradespan, "all_students"), step)


# Columns

NON_HIGH = {"ela": 2, "math": 1, "science": 0, "ela_sgp": 2, "math_sgp": 3, "absence": 4}


def test_a_column_weighs_its_categories() -> None:
    found = column(2025, "non_high", **NON_HIGH, el=3)
    # 60% of 3 + 20% of 5 + 10% of 3 + 10% of 4 = 1.8 + 1.0 + 0.3 + 0.4; possible 60% of 12 + 20% of 8 + 0.4 + 0.4
    assert (found.weighted_earned, found.weighted_possible) == (Decimal("3.5"), Decimal("9.6"))
    assert (found.percentage.kept, found.percentage.shown) == (Decimal("36.5"), 37)


def test_without_english_learners_their_ten_percent_go_to_achievement_and_growth() -> None:
    found = column(2025, "non_high", **NON_HIGH)
    # 67.5% of 3 + 22.5% of 5 + 10% of 4 = 2.025 + 1.125 + 0.4 = 3.55, half up
    assert (found.weighted_earned, found.weighted_possible) == (Decimal("3.6"), Decimal("10.3"))


@pytest.mark.parametrize(
    ("gradespan", "group", "points", "possible"),
    [
        ("non_high", "all_students", [*NON_HIGH, "el"], "9.6"),
        ("non_high", "all_students", [*NON_HIGH], "10.3"),
        ("high", "all_students", [*SHORT], "10.0"),
        ("high", "all_students", [name for name in SHORT if name != "el"], "10.7"),
        ("high", "lowest_performing", ["ela", "math", "ela_sgp", "math_sgp", "absence"], "7.6"),
        ("high", "lowest_performing", ["ela", "math", "science", "ela_sgp", "math_sgp", "absence"], "10.3"),
        ("non_high", "white", [*NON_HIGH], "10.3"),
    ],
)
def test_the_possible_points_of_full_columns_are_those_that_reports_print(
    gradespan: str, group: str, points: list[str], possible: str
) -> None:
    for year in YEARS:
        found = column(year, gradespan, group, **dict.fromkeys(points, 4))
        assert found.weighted_possible == found.weighted_earned == Decimal(possible)
        assert found.percentage.shown == 100


def test_an_absent_indicator_drops_out_of_earned_and_possible() -> None:
    found = column(2025, "high", ela=4, ela_sgp=2, absence=0)
    # 47.5% of 4 + 22.5% of 2 + 10% of 0 = 2.35; possible 1.9 + 0.9 + 0.4 = 3.2
    assert (found.weighted_earned, found.weighted_possible) == (Decimal("2.4"), Decimal("3.2"))


def test_an_absent_category_leaves_the_other_weights_as_they_are() -> None:
    found = column(2025, "non_high", ela=4, math=2, absence=1)
    # 67.5% of 6 + 10% of 1 = 4.15; possible 67.5% of 8 + 10% of 4 = 5.8
    assert (found.weighted_earned, found.weighted_possible) == (Decimal("4.2"), Decimal("5.8"))
    assert "missing_category" in {row.rule_id for row in found.percentage.step.parameters}


def test_a_column_without_points_has_no_percentage_and_says_why() -> None:
    found = score_column(Place("00010000", "high", "asian"), {}, rules(2025), otherwise="n_too_small")
    assert (found.weighted_earned, found.percentage.kept, found.percentage.status) == (None, None, "n_too_small")


def test_a_column_of_nothing_but_noughts_is_nought_percent() -> None:
    assert column(2019, "high", "lowest_performing", ela=0, math=0, absence=0).percentage.kept == 0


@pytest.mark.parametrize(
    ("points", "problem"),
    [
        ({"ela": 5}, "00010000 high_all all_students ela_achievement: 5 is not between 0 and 4"),
        ({"ela": -1}, "-1 is not between 0 and 4"),
    ],
)
def test_points_that_cannot_be_are_named(points: dict[str, int], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        column(2025, "high", **points)


def test_an_indicator_of_another_column_is_named() -> None:
    with pytest.raises(InputError, match="00010000 non_high_all has no indicator 'four_year_graduation'"):
        column(2025, "non_high", graduation=4)


# Half up at each stage


@pytest.mark.parametrize(
    ("points", "exact", "printed"),
    [
        ({"ela": 1, "math": 1, "ela_sgp": 1, "math_sgp": 0, "absence": 3}, "1.875", "1.9"),
        ({"ela": 2, "math": 1, "ela_sgp": 2, "math_sgp": 2, "absence": 0}, "2.925", "2.9"),
        ({"ela": 3, "math": 3, "ela_sgp": 2, "math_sgp": 2, "absence": 1}, "5.05", "5.1"),
        ({"ela": 2, "math": 2, "ela_sgp": 1, "math_sgp": 1, "absence": 3}, "3.45", "3.5"),
    ],
)
def test_weighted_points_are_rounded_half_up(points: dict[str, int], exact: str, printed: str) -> None:
    found = column(2018, "non_high", "lowest_performing", **points)
    by_hand = (
        Decimal("0.675") * (points["ela"] + points["math"])
        + Decimal("0.225") * (points["ela_sgp"] + points["math_sgp"])
        + Decimal("0.1") * points["absence"]
    )
    assert (by_hand, found.weighted_earned) == (Decimal(exact), Decimal(printed))


LYNN_HIGH_LOWEST = {"ela": 0, "math": 1, "ela_sgp": 1, "math_sgp": 1, "absence": 0}


def test_1_1_of_7_6_shows_14_in_2018_and_15_in_2019() -> None:
    """14.47 percent: 2018 rounds it to a whole percent, 2019 to 14.5 and that to 15 (Lynn 2018, Lawrence 2019)."""
    in_2018 = column(2018, "high", "lowest_performing", **LYNN_HIGH_LOWEST)
    in_2019 = column(2019, "high", "lowest_performing", **LYNN_HIGH_LOWEST)
    assert (in_2018.weighted_earned, in_2018.weighted_possible) == (Decimal("1.1"), Decimal("7.6"))
    assert (in_2018.percentage.kept, in_2018.percentage.shown) == (14, 14)
    assert (in_2019.percentage.kept, in_2019.percentage.shown) == (Decimal("14.5"), 15)


# Gradespans


@pytest.mark.parametrize(
    ("year", "everyone", "lowest", "kept", "shown"),
    [
        (2018, "33", "76", "54.5", "55"),  # Lynn: whole percents, the half is kept
        (2019, "34.4", "67.1", "50.8", "51"),  # Fall River: 50.75
        (2019, "30.0", "0.0", "15.0", "15"),
        (2024, "26.0", "71.1", "48.6", "49"),  # Boston: 48.55
    ],
)
def test_a_gradespan_is_the_mean_of_its_two_populations(
    year: int, everyone: str, lowest: str, kept: str, shown: str
) -> None:
    found = gradespan_percentage(standing(year, everyone), standing(year, lowest), rules(year))
    assert (found.kept, found.shown) == (Decimal(kept), Decimal(shown))


@pytest.mark.parametrize("lowest", [None, standing(2023, None, status="n_too_small")])
def test_without_the_lowest_performing_all_students_count_alone(lowest: Percentage | None) -> None:
    found = gradespan_percentage(standing(2023, "46.0"), lowest, rules(2023))
    assert (found.kept, found.status) == (Decimal("46.0"), "ok")
    assert found.step.parameters[-1].rule_id == "missing_population"


def test_the_lowest_performing_cannot_stand_for_all_students() -> None:
    found = gradespan_percentage(standing(2024, None, status="n_too_small"), standing(2024, "50.0"), rules(2024))
    assert (found.kept, found.status) == (None, "n_too_small")


def test_another_group_has_its_own_percentage_without_a_lowest_performing_quarter() -> None:
    own = column(2025, "high", "high_needs", ela=2, math=2, ela_sgp=2, math_sgp=2, absence=2, el=2)
    found = gradespan_percentage(own.percentage, None, rules(2025))
    assert found.kept == own.percentage.kept == Decimal("50.0")
    assert own.percentage.step.key == "2025/00010000/column/high/high_needs"
    assert "student_group_column" in {row.rule_id for row in own.percentage.step.parameters}
    assert "missing_population" not in {row.rule_id for row in found.step.parameters}


# Annual


def annual(year: int, non_high: str | None, high: str | None, weights: Mapping[str, int] | None) -> Percentage:
    parts = [standing(year, non_high, "non_high"), standing(year, high, "high")]
    return annual_percentage(parts, weights, rules(year))


@pytest.mark.parametrize(
    ("year", "non_high", "high", "weights", "kept", "shown"),
    [
        (2018, "54.5", "22.5", None, "44.90", "45"),  # Lynn, 70/30
        (2018, "61.0", "51.5", None, "58.15", "58"),  # Lowell
        (2018, "45.0", "43.0", None, "44.40", "44"),
        (2018, "44.5", "44.5", None, "44.50", "45"),
        (2019, "50.8", "15.0", (75, 25), "41.9", "42"),  # Fall River: 41.85
        (2024, "48.6", "43.3", (63, 37), "46.6", "47"),  # Boston
    ],
)
def test_both_gradespans_are_weighed(
    year: int, non_high: str, high: str, weights: tuple[int, int] | None, kept: str, shown: str
) -> None:
    given_weights = dict(zip(("non_high", "high"), weights, strict=True)) if weights else None
    found = annual(year, non_high, high, given_weights)
    assert (found.kept, found.shown) == (Decimal(kept), Decimal(shown))


def test_the_fixed_weights_of_2018_do_not_read_enrolment() -> None:
    assert annual(2018, "100", "0", {"non_high": 1, "high": 99}).kept == 70


def test_a_half_of_2018_is_not_rounded_twice() -> None:
    """0.7 x 45.5 + 0.3 x 42.0 = 44.45 shows 44; by way of 44.5 it would be 45."""
    assert annual(2018, "45.5", "42.0", None).shown == 44


def test_students_enrolled_weigh_the_gradespans_exactly_not_in_whole_percents() -> None:
    # 2 of 3 students: 0.6666… x 90.0 + 0.3333… x 0.0 = 60.0; with 67/33 it would be 60.3
    assert annual(2025, "90.0", "0.0", {"non_high": 2, "high": 1}).kept == Decimal("60.0")


@pytest.mark.parametrize(("non_high", "high", "kept"), [("61.2", None, "61.2"), (None, "33.3", "33.3")])
def test_a_single_gradespan_is_the_annual_percentage(non_high: str | None, high: str | None, kept: str) -> None:
    assert annual(2025, non_high, high, None).kept == Decimal(kept)
    assert annual(2018, "55", None, None).shown == 55


def test_without_enrolment_two_gradespans_cannot_be_weighed() -> None:
    found = annual(2025, "50.0", "60.0", None)
    assert (found.kept, found.status) == (None, "missing_source")


@pytest.mark.parametrize(
    ("weights", "shown"),
    [
        ({"non_high": 0, "high": 0}, "non_high 0, high 0"),
        ({"non_high": -1, "high": 5}, "non_high -1, high 5"),
        ({"high": 5}, "non_high None, high 5"),
    ],
)
def test_enrolment_that_cannot_weigh_is_named(weights: dict[str, int], shown: str) -> None:
    with pytest.raises(InputError, match=f"annual of 2025: 00010000: enrolment cannot weigh the gradespans: {shown}"):
        annual(2025, "50.0", "60.0", weights)


# Cumulative


@pytest.mark.parametrize(
    ("year", "prior", "current", "kept", "shown"),
    [
        (2019, "42.4", "41.9", "42.1", "42"),
        (2019, "84.6", "85.5", "85.1", "85"),  # printed 85 and 86, cumulative 85
        (2025, "43.4", "32.0", "36.6", "37"),  # West Springfield: 43 and 32
        (2024, "50.0", "49.0", "49.4", "49"),
        (2019, "44.45", "40.0", "41.8", "42"),  # an annual of 2018 has two decimals; here it counts as 44.5
    ],
)
def test_forty_percent_of_the_prior_year_and_sixty_of_this(
    year: int, prior: str, current: str, kept: str, shown: str
) -> None:
    found = cumulative_percentage(standing(year, current), Decimal(prior), rules(year))
    assert (found.kept, found.shown) == (Decimal(kept), Decimal(shown))


@pytest.mark.parametrize("year", [2018, 2023])
def test_a_first_year_stands_alone_whatever_came_before(year: int) -> None:
    found = cumulative_percentage(standing(year, "36.3"), Decimal("80.0"), rules(year))
    assert (found.kept, found.shown) == (Decimal("36.3"), 36)
    assert found.step.inputs["prior"] is None


def test_without_a_prior_annual_the_current_stands_alone() -> None:
    found = cumulative_percentage(standing(2025, "36.3"), None, rules(2025))
    assert (found.kept, found.status) == (Decimal("36.3"), "ok")
    strict = percentage_rules(changed(("cumulative", "without_prior", "none")), 2025)
    found = cumulative_percentage(standing(2025, "36.3"), None, strict)
    assert (found.kept, found.status) == (None, "no_prior_year")


def test_a_prior_annual_alone_is_no_cumulative() -> None:
    found = cumulative_percentage(standing(2025, None, status="n_too_small"), Decimal("50.0"), rules(2025))
    assert (found.kept, found.shown, found.status) == (None, None, "n_too_small")


def test_a_prior_annual_above_a_hundred_is_named() -> None:
    with pytest.raises(InputError, match=r"cumulative of 2025: 00010000: prior annual 100\.1 is not 0 to 100"):
        cumulative_percentage(standing(2025, "50.0"), Decimal("100.1"), rules(2025))


# A K-12 school from points to cumulative, with its steps


def test_the_steps_lead_from_the_cumulative_back_to_the_columns() -> None:
    columns = {
        (span, group): column(2025, span, group, ela=2, math=2, absence=2).percentage
        for span in ("non_high", "high")
        for group in ("all_students", "lowest_performing")
    }
    spans = [
        gradespan_percentage(columns[(span, "all_students")], columns[(span, "lowest_performing")], rules(2025))
        for span in ("non_high", "high")
    ]
    year = annual_percentage(spans, {"non_high": 300, "high": 200}, rules(2025))
    total = cumulative_percentage(year, Decimal("60.0"), rules(2025))
    assert (year.kept, total.kept) == (Decimal("50.0"), Decimal("54.0"))
    made = {part.step.key: part.step for part in (*columns.values(), *spans, year, total)}
    assert total.step.key == "2025/00010000/cumulative/all_students"
    assert year.step.key == "2025/00010000/annual/all_students"
    reached, waiting = set(), [total.step.key]
    while waiting:
        key = waiting.pop()
        reached.add(key)
        waiting += made[key].upstream
    assert reached == set(made)


# Properties

ALL_POINTS = st.dictionaries(st.sampled_from(sorted(SHORT)), st.integers(0, 4), min_size=1)


@given(year=st.sampled_from(YEARS), points=ALL_POINTS)
def test_a_percentage_lies_between_nought_and_a_hundred(year: int, points: dict[str, int]) -> None:
    found = column(year, "high", **points).percentage
    assert found.kept is not None
    assert 0 <= found.kept <= 100
    assert (found.kept == 100) >= all(value == 4 for value in points.values())


@given(year=st.sampled_from(YEARS), points=ALL_POINTS, data=st.data())
def test_one_more_point_never_lowers_a_percentage(year: int, points: dict[str, int], data: st.DataObject) -> None:
    raised = data.draw(st.sampled_from(sorted(points)))
    more = points | {raised: min(4, points[raised] + 1)}
    before, after = (column(year, "high", **shown).percentage.kept for shown in (points, more))
    assert before is not None
    assert after is not None
    assert after >= before


@given(
    year=st.sampled_from((2019, 2023, 2024, 2025)),
    spans=st.tuples(st.integers(0, 1000), st.integers(0, 1000)),
    students=st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
)
def test_the_annual_lies_between_its_gradespans(year: int, spans: tuple[int, int], students: tuple[int, int]) -> None:
    low, high = (str(Decimal(value) / 10) for value in spans)
    kept = annual(year, low, high, dict(zip(("non_high", "high"), students, strict=True))).kept
    assert kept is not None
    assert min(spans) <= kept * 10 <= max(spans)


@given(prior=st.integers(0, 1000), current=st.integers(0, 1000))
def test_the_cumulative_lies_between_both_years(prior: int, current: int) -> None:
    found = cumulative_percentage(standing(2025, str(Decimal(current) / 10)), Decimal(prior) / 10, rules(2025)).kept
    assert found is not None
    assert min(prior, current) <= found * 10 <= max(prior, current)
