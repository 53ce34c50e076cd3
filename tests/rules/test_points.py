"""Points 0 to 4, as worked examples of the criteria for awarding points (rulebook section 6)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.determinations.points import Measured, award
from orchestration.determinations.points_rules import points_rules
from orchestration.determinations.trace import parameter_text, value_text
from orchestration.errors import InputError
from tests.support.determinations import REGISTER, changed
from tests.support.points import points, rules

# Exactly at a tolerance, a band, a level


@pytest.mark.parametrize(
    ("year", "indicator", "gradespan", "target", "above", "exceeded", "met", "short"),
    [
        # more than the tolerance above target is exceeded; up to it, on either side, is met
        (2025, "ela_achievement", "non_high", "500.0", "500.5", "500.6", "499.5", "499.4"),
        (2019, "science_achievement", "non_high", "80.0", "81.2", "81.3", "78.8", "78.7"),  # 1.25 lies between tenths
        (2025, "el_progress", "high", "40.0", "43.0", "43.1", "37.0", "36.9"),
        (2025, "chronic_absenteeism", "high", "20.0", "19.5", "19.4", "20.5", "20.6"),
        (2025, "annual_dropout", "high", "3.0", "2.5", "2.4", "3.5", "3.6"),
        (2025, "four_year_graduation", "high", "90.0", "91.0", "91.1", "89.0", "88.9"),
        (2025, "advanced_coursework", "high", "60.0", "61.0", "61.1", "59.0", "58.9"),
    ],
)
def test_the_tolerance_belongs_to_met_target_on_both_sides(
    year: int, indicator: str, gradespan: str, target: str, above: str, exceeded: str, met: str, short: str
) -> None:
    worse = {"chronic_absenteeism": "50.0", "annual_dropout": "50.0", "ela_achievement": "450.0"}.get(indicator, "10.0")
    found = [
        points(indicator, gradespan, year=year, current=current, prior=worse, target=target).rating
        for current in (exceeded, above, met, short)
    ]
    assert found == ["Exceeded Target", "Met Target", "Met Target", "Improved Below Target"]


@pytest.mark.parametrize(
    ("indicator", "gradespan", "prior", "improved", "same", "edge", "declined"),
    [
        ("ela_achievement", "non_high", "490.0", "490.1", "490.0", "489.5", "489.4"),
        ("chronic_absenteeism", "non_high", "30.0", "29.9", "30.0", "30.5", "30.6"),
        ("annual_dropout", "high", "5.0", "4.9", "5.0", "5.5", "5.6"),
        ("el_progress", "non_high", "30.0", "30.1", "30.0", "27.0", "26.9"),
    ],
)
def test_no_change_reaches_from_nothing_to_the_band(
    indicator: str, gradespan: str, prior: str, improved: str, same: str, edge: str, declined: str
) -> None:
    target = {"chronic_absenteeism": "5.0", "annual_dropout": "1.0", "el_progress": "90.0"}.get(indicator, "550.0")
    found = [
        points(indicator, gradespan, current=current, prior=prior, target=target).points
        for current in (improved, same, edge, declined)
    ]
    assert found == [2, 1, 1, 0]


def test_a_cpi_falls_by_up_to_two_and_a_half_without_change() -> None:
    found = [
        points("math_achievement", "high", year=2019, current=current, prior="80.0", target="90.0").points
        for current in ("77.5", "77.4")
    ]
    assert found == [1, 0]


@pytest.mark.parametrize(("current", "earned"), [("97.5", 4), ("97.4", 3)])
def test_a_cpi_of_97_5_earns_four_points_whatever_the_target(current: str, earned: int) -> None:
    figures = {"year": 2019, "current": current, "prior": "99.0", "target": "98.5"}
    assert points("ela_achievement", "high", **figures).points == earned


@pytest.mark.parametrize(
    ("sgp", "earned", "rating"),
    [
        ("60.0", 4, "Exceeded Typical Growth"),
        ("59.9", 3, "Typical Growth – High"),
        ("50.0", 3, "Typical Growth – High"),
        ("49.9", 2, "Typical Growth – Low"),
        ("40.0", 2, "Typical Growth – Low"),
        ("39.9", 1, "Low Growth"),
        ("30.0", 1, "Low Growth"),
        ("29.9", 0, "Very Low Growth"),
        ("1.0", 0, "Very Low Growth"),
    ],
)
def test_growth_needs_neither_a_target_nor_the_year_before(sgp: str, earned: int, rating: str) -> None:
    found = points("math_growth", "high", current=sgp, prior_n=None)
    assert (found.points, found.rating, found.route) == (earned, rating, "growth_band")


# Statewide values


def test_statewide_values_lift_a_strong_school_that_missed_its_target() -> None:
    figures = {"current": "512.0", "prior": "513.0", "target": "515.0"}

    def earned(**statewide: str) -> tuple[int | None, str]:
        found = points("ela_achievement", "non_high", **figures, **statewide)
        return found.points, found.route

    low = {"all_students_90": "520.0", "group_90": "519.0", "all_students_80": "516.0"}
    assert earned(**low) == (0, "declined")
    assert earned(**low | {"all_students_90": "512.0"}) == (4, "all_students_90")
    assert earned(**low | {"group_90": "512.0"}) == (3, "group_90")
    assert earned(**low | {"all_students_80": "512.0"}) == (3, "all_students_80")
    assert earned(**low | {"all_students_80": "512.1"}) == (0, "declined")


def test_a_low_rate_reaches_a_statewide_value_from_below() -> None:
    figures = {"prior": "4.0", "target": "2.0", "all_students_90": "5.0", "all_students_80": "7.0"}
    found = [
        points("chronic_absenteeism", "non_high", current=current, **figures).points
        for current in ("5.0", "5.1", "7.0", "7.1")
    ]
    assert found == [4, 3, 3, 0]


def test_english_learners_are_compared_within_their_difficulty_quartile() -> None:
    figures = {"current": "50.0", "prior": "49.0", "target": "60.0"}
    assert points("el_progress", "non_high", **figures, all_students_90="40.0").points == 2
    assert points("el_progress", "non_high", **figures, difficulty_quartile_90="50.0").points == 4
    assert points("el_progress", "non_high", **figures, difficulty_quartile_80="50.0").points == 3


# Not enough data


@pytest.mark.parametrize(
    ("n", "status"), [(19, "n_too_small"), (20, "ok"), (0, "n_too_small"), (None, "missing_source")]
)
def test_twenty_students_are_enough(n: int | None, status: str) -> None:
    found = points("ela_achievement", "non_high", current="500.0", prior="499.0", target="500.0", n=n)
    assert found.status == status
    assert (found.points, found.reason) == ((3, "Met Target") if status == "ok" else (None, "-"))


@pytest.mark.parametrize(("prior", "prior_n"), [(None, None), (None, 19), ("490.0", 19), ("490.0", 0)])
def test_without_the_year_before_a_target_can_be_met_but_nothing_below_it_is_judged(
    prior: str | None, prior_n: int | None
) -> None:
    def found(current: str) -> tuple[int | None, str]:
        made = points("ela_achievement", "high", current=current, prior=prior, prior_n=prior_n, target="500.0")
        return made.points, made.status

    assert found("501.0") == (4, "ok")
    assert found("499.5") == (3, "ok")
    assert found("499.4") == (None, "no_prior_year")


def test_without_a_target_only_levels_and_statewide_values_count() -> None:
    found = points("ela_achievement", "high", current="505.0", prior="500.0", all_students_80="505.0")
    assert (found.points, found.route) == (3, "all_students_80")
    found = points("ela_achievement", "high", current="505.0", prior="500.0")
    assert (found.points, found.status) == (None, "missing_source")
    found = points("ela_achievement", "high", current="505.0")
    assert (found.points, found.status) == (None, "no_prior_year")


def test_which_routes_do_without_the_year_before_is_policy() -> None:
    strict = changed(("missing_prior_year", "routes", "none"))
    found = points("ela_achievement", "high", current="510.0", target="500.0", register=strict)
    assert (found.points, found.status) == (None, "no_prior_year")


@pytest.mark.parametrize(
    ("indicator", "gradespan", "group"),
    [
        ("four_year_graduation", "non_high", "all_students"),
        ("advanced_coursework", "high", "lowest_performing"),
        ("el_progress", "high", "lowest_performing"),
    ],
)
def test_an_indicator_that_the_column_does_not_have_is_not_applicable(
    indicator: str, gradespan: str, group: str
) -> None:
    assert points(indicator, gradespan, group=group, current="50.0").status == "not_applicable"


def test_the_status_of_the_indicator_row_stands() -> None:
    row = Measured("00010001", "high", "white", "el_progress", "percent", None, None, status="missing_source")
    assert award(row, rules(2025)).status == "missing_source"


# What cannot be


@pytest.mark.parametrize(
    ("figures", "problem"),
    [
        ({"current": "100.1"}, "value 100.1 is not a number of one decimal between 0.0 and 100.0"),
        ({"current": "-0.1"}, "value -0.1 is not"),
        ({"current": "50.05"}, "value 50.05 is not"),
        ({"current": "50.0", "prior": "101"}, "prior value 101 is not"),
        ({"current": "50.0", "target": "100.5"}, "target 100.5 is not"),
        ({"current": "50.0", "n": -1}, "n -1 is negative"),
        ({"current": "50.0", "prior_n": -1}, "prior n -1 is negative"),
        ({"current": "50.0", "path": "Path Forward"}, "'Path Forward' is not a path of this indicator in 2025"),
    ],
)
def test_a_figure_that_cannot_be_is_named(figures: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError) as error:
        points("four_year_graduation", "high", **figures)
    assert str(error.value).startswith("points of 2025: 00010001 high all_students four_year_graduation: ")
    assert problem in str(error.value)


def test_a_path_before_there_were_paths_and_a_measure_of_another_year_are_named() -> None:
    with pytest.raises(InputError, match="'Path Forward' is not a path of this indicator in 2019"):
        points("ela_achievement", "high", year=2019, current="90.0", path="Path Forward")
    row = Measured("00010001", "high", "all_students", "ela_achievement", "cpi", Decimal("90.0"), 30)
    with pytest.raises(InputError, match="measure 'cpi' is not that of the year, scaled_score"):
        award(row, rules(2025))


def test_there_are_no_points_in_2022() -> None:
    with pytest.raises(InputError, match="2022 has no points: its determinations are 'percentiles_only'"):
        points_rules(REGISTER, 2022)


# The step


def test_the_step_names_figures_route_and_every_rule_that_was_tried() -> None:
    found = points("ela_achievement", "high", current="500.0", prior="499.9", target="502.0", path="Path Forward")
    step = found.step
    assert step.key == "2025/00010001/points/high/all_students/ela_achievement"
    assert step.outcome["points"] == 2
    assert '"current":"500.0"' in value_text(step.inputs)
    assert step.inputs["comparisons_unknown"] == ("all_students_90", "group_90", "all_students_80")
    cited = [(row.rule_id, row.parameter) for row in step.parameters]
    assert cited == [
        ("minimum_n", "students"),
        ("target_tolerance", "high_scaled_score"),
        ("route_points", "above_target"),
        ("comparison_route", "high_scaled_score_4"),
        ("route_points", "within_target"),
        ("comparison_route", "high_scaled_score_3"),
        ("route_points", "improved"),
        ("rating_target", "2"),
    ]
    assert '"status":"inferred"' in parameter_text(step.parameters)


# Properties

TENTHS = st.integers(4400, 5600).map(lambda tenths: Decimal(tenths) / 10)
RATES = st.integers(0, 1000).map(lambda tenths: Decimal(tenths) / 10)


@given(
    values=st.tuples(TENTHS, TENTHS),
    prior=st.none() | TENTHS,
    target=st.none() | TENTHS,
    statewide=st.dictionaries(st.sampled_from(["all_students_90", "group_90", "all_students_80"]), TENTHS),
)
def test_a_higher_score_never_earns_less(
    values: tuple[Decimal, Decimal], prior: Decimal | None, target: Decimal | None, statewide: dict[str, Decimal]
) -> None:
    place = ("00010001", "non_high", "asian", "math_achievement", "scaled_score")
    low, high = (
        award(Measured(*place, value, 30, prior, 30, target, comparisons=statewide), rules(2024)).points
        for value in sorted(values)
    )
    assert (high if high is not None else -1) >= (low if low is not None else -1)


@given(values=st.tuples(RATES, RATES), prior=RATES, target=RATES, statewide=RATES)
def test_a_lower_rate_of_absence_never_earns_less(
    values: tuple[Decimal, Decimal], prior: Decimal, target: Decimal, statewide: Decimal
) -> None:
    place = ("00010001", "high", "white", "chronic_absenteeism", "percent")
    low, high = (
        award(
            Measured(*place, v, 30, prior, 30, target, comparisons={"all_students_80": statewide}), rules(2019)
        ).points
        for v in sorted(values)
    )
    assert low is not None
    assert high is not None
    assert low >= high


@given(sgp=st.integers(10, 990).map(lambda tenths: Decimal(tenths) / 10))
def test_every_mean_growth_percentile_earns_points(sgp: Decimal) -> None:
    row = Measured("00010001", "high", "all_students", "ela_growth", "mean_sgp", sgp, 20)
    assert award(row, rules(2023)).points in range(5)


@given(current=TENTHS, prior=TENTHS, target=TENTHS)
def test_with_target_and_prior_year_some_route_always_holds(current: Decimal, prior: Decimal, target: Decimal) -> None:
    row = Measured(
        "00010001", "high", "all_students", "ela_achievement", "scaled_score", current, 20, prior, 20, target
    )
    found = award(row, rules(2025))
    assert found.status == "ok"
    assert found.points in range(5)
