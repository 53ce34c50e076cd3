"""Statewide 90th and 80th percentile values (rulebook section 6.1 and open question 5)."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from orchestration.determinations.comparisons import SchoolValue, comparison_rules, nearest_rank, statewide
from orchestration.determinations.points_rules import points_rules
from tests.support.determinations import REGISTER

RULES, POINTS = comparison_rules(REGISTER, 2025), points_rules(REGISTER, 2025)
TENTH = Decimal("0.1")


def schools(
    count: int, indicator: str = "ela_achievement", group: str = "all_students", n: int = 20
) -> list[SchoolValue]:
    """`count` schools with the values 1, 2, 3 …"""
    return [SchoolValue("school", "high", group, indicator, Decimal(i), n) for i in range(1, count + 1)]


def test_the_90th_percentile_of_ten_schools_is_the_ninth() -> None:
    found = statewide(schools(10), RULES, POINTS, "00000000").of("high", "all_students", "ela_achievement")
    assert found == {"all_students_90": 9, "all_students_80": 8, "group_90": 9, "group_80": 8}


def test_nine_schools_are_too_few_since_their_90th_percentile_would_be_the_best_itself() -> None:
    found = statewide(schools(9), RULES, POINTS, "00000000")
    assert found.of("high", "all_students", "ela_achievement") == {}
    (step,) = found.steps.values()
    assert (step.status, step.inputs["organisations"]) == ("n_too_small", 9)


def test_the_lowest_rates_are_the_best() -> None:
    found = statewide(schools(20, "annual_dropout"), RULES, POINTS, "00000000")
    values = found.of("high", "all_students", "annual_dropout")
    assert (values["all_students_90"], values["all_students_80"]) == (3, 5)


def test_only_schools_with_enough_students_count() -> None:
    others = [
        *schools(10, n=19),
        SchoolValue("district", "high", "all_students", "ela_achievement", Decimal(99), 500),
        SchoolValue("school", "high", "all_students", "ela_growth", Decimal(99), 500),
    ]
    found = statewide([*schools(10), *others], RULES, POINTS, "00000000")
    assert found.of("high", "all_students", "ela_achievement")["all_students_90"] == 9
    assert set(found.steps) == {("high", "all_students", "ela_achievement", "")}


def test_a_group_is_compared_with_itself_and_with_all_students() -> None:
    found = statewide([*schools(10), *schools(20, group="white")], RULES, POINTS, "00000000")
    values = found.of("high", "white", "ela_achievement")
    assert (values["group_90"], values["all_students_90"]) == (18, 9)
    assert found.keys("high", "white", "ela_achievement") == (
        "2025/00000000/comparison/high/all_students/ela_achievement",
        "2025/00000000/comparison/high/white/ela_achievement",
    )


def test_difficulty_quartiles_are_compared_within_themselves() -> None:
    rows = [
        SchoolValue("school", "high", "all_students", "el_progress", Decimal(i), 20, quartile=str(i % 2))
        for i in range(1, 21)
    ]
    found = statewide(rows, RULES, POINTS, "00000000")
    assert found.of("high", "all_students", "el_progress", "1")["difficulty_quartile_90"] == 17
    assert "difficulty_quartile_90" not in found.of("high", "all_students", "el_progress")


@given(values=st.lists(st.integers(0, 1000), min_size=1), percentile=st.integers(1, 99), sign=st.sampled_from([1, -1]))
def test_the_value_is_the_least_good_that_enough_schools_do_not_surpass(
    values: list[int], percentile: int, sign: int
) -> None:
    found = nearest_rank([Decimal(v) for v in values], percentile, sign)
    assert found in values
    not_better = sum(sign * v <= sign * found for v in values)
    worse = sum(sign * v < sign * found for v in values)
    assert not_better * 100 >= percentile * len(values) > worse * 100
