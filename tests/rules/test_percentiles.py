"""Accountability percentiles in worked examples: small states whose ranks can be counted on fingers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction

import pytest

from orchestration.determinations.percentile_rules import percentile_rules
from orchestration.determinations.percentiles import IndicatorValue, Percentile, percentiles
from orchestration.determinations.trace import Step
from orchestration.errors import InputError
from tests.support.determinations import REGISTER, changed

NON_HIGH, HIGH, BOTH = frozenset({"non_high"}), frozenset({"high"}), frozenset({"non_high", "high"})
DEFAULT = percentile_rules(REGISTER, 2025).rank
EXAMPLES = changed(
    ("percentile_rank", "tie_share", "0.5"),
    ("percentile_rank", "multiplier", "100"),
    ("percentile_rank", "addend", "0.5"),
)
"""The examples below are worked with another rank rule: the middle of the ties, half up, easy to count by hand."""
RANK = percentile_rules(EXAMPLES, 2025).rank


def value(
    org: str,
    indicator: str,
    figure: str | None,
    year: int = 2018,
    gradespan: str = "non_high",
    group: str = "all_students",
    n: int = 50,
) -> IndicatorValue:
    status = "n_too_small" if figure is None else "ok"
    return IndicatorValue(year, org, gradespan, group, indicator, Decimal(figure) if figure else None, n, status)


def scores_of(org: str, ela: str, math: str, **where: object) -> list[IndicatorValue]:
    """ELA and mathematics achievement, which every percentile needs."""
    return [value(org, f"{subject}_achievement", figure, **where) for subject, figure in (("ela", ela), ("math", math))]  # type: ignore[arg-type]


def ranked(
    values: Iterable[IndicatorValue], schools: Mapping[str, frozenset[str]], year: int = 2018
) -> dict[tuple[str, str], Percentile]:
    found, _ = percentiles(percentile_rules(EXAMPLES, year), values, schools)
    return {(entry.org_code, entry.student_group): entry for entry in found}


# The rank: 100 x (below + half of ties) / n, half up, 1 to 99


@pytest.mark.parametrize(
    ("below", "ties", "n", "expected"),
    [
        (0, 1, 1, 50),  # alone in its set: in the middle
        (0, 1, 4, 13),  # 12.5 is rounded up
        (1, 1, 4, 38),  # 37.5
        (2, 1, 4, 63),  # 62.5
        (3, 1, 4, 88),  # 87.5
        (0, 4, 4, 50),  # all equal: all in the middle
        (0, 2, 4, 25),  # the lower two of four share
        (0, 1, 1000, 1),  # 0.05 is held at 1
        (999, 1, 1000, 99),  # 99.95 is held at 99
        (0, 0, 10, 1),  # a value below all of a population it does not belong to
        (10, 0, 10, 99),
    ],
)
def test_the_rank_of_a_value(below: int, ties: int, n: int, expected: int) -> None:
    assert RANK.percentile(below, ties, n) == expected


def test_the_rank_rule_of_the_policy_spreads_schools_evenly() -> None:
    """As published in 2025: 12 to 17 schools at each percentile, not twice as few at the ends."""
    counts = [DEFAULT.percentile(below, 1, 990) for below in range(990)]
    assert {percentile: counts.count(percentile) for percentile in set(counts)} == dict.fromkeys(range(1, 100), 10)


# From values to a percentile


def test_four_schools_by_hand() -> None:
    values = [
        *scores_of("A", "490", "490"),
        *scores_of("B", "495", "500"),
        *scores_of("C", "500", "495"),
        *scores_of("D", "510", "510"),
    ]
    found = ranked(values, dict.fromkeys("ABCD", NON_HIGH))
    # A is last in both: rank 13; B is 38 and 63, C 63 and 38: both 50.5; D is first in both: 88.
    scores = {org: entry.score for (org, _), entry in found.items()}
    assert scores == {"A": 13, "B": Fraction(101, 2), "C": Fraction(101, 2), "D": 88}
    # Ranked again: B and C share, (1 below + half of 2) of 4 is 50.
    assert {org: entry.percentile for (org, _), entry in found.items()} == {"A": 13, "B": 50, "C": 50, "D": 88}


@pytest.mark.parametrize("indicator", ["chronic_absenteeism", "annual_dropout"])
def test_fewer_absences_and_dropouts_are_better(indicator: str) -> None:
    schools = {"A": HIGH, "B": HIGH}
    where = {"gradespan": "high"}
    values = [
        *scores_of("A", "500", "500", **where),
        *scores_of("B", "500", "500", **where),
        value("A", indicator, "5.0", gradespan="high"),
        value("B", indicator, "25.0", gradespan="high"),
    ]
    found = ranked(values, schools)
    assert (found["A", "all_students"].percentile, found["B", "all_students"].percentile) == (75, 25)


def test_categories_weigh_with_and_without_english_learners() -> None:
    values = [
        *scores_of("A", "500", "500"),
        *scores_of("B", "510", "510"),
        value("A", "ela_growth", "60"),
        value("B", "ela_growth", "40"),
        value("A", "chronic_absenteeism", "5"),
        value("B", "chronic_absenteeism", "10"),
        value("A", "el_progress", "50"),
    ]
    found = ranked(values, dict.fromkeys("AB", NON_HIGH))
    # With EL 60/20/10/10: 25, 75, 50 (alone in EL), 75. Without EL 67.5/22.5/10: 75, 25, 25.
    assert found["A", "all_students"].score == Fraction(60 * 25 + 20 * 75 + 10 * 50 + 10 * 75, 100)
    assert found["B", "all_students"].score == Fraction("0.675") * 75 + Fraction("0.225") * 25 + Fraction("0.1") * 25


def test_a_missing_category_leaves_the_others_their_proportions() -> None:
    values = [*scores_of("A", "500", "500"), *scores_of("B", "510", "510"), value("A", "ela_growth", "60")]
    found = ranked(values, dict.fromkeys("AB", NON_HIGH))
    assert found["A", "all_students"].score == (Fraction("67.5") * 25 + Fraction("22.5") * 50) / 90


def test_a_k12_school_counts_each_indicator_once_as_the_mean_of_its_gradespans() -> None:
    values = [
        *scores_of("A", "490", "490"),
        *scores_of("B", "500", "500"),
        *scores_of("A", "520", "520", gradespan="high"),
        *scores_of("B", "510", "510", gradespan="high"),
        value("A", "four_year_graduation", "90", gradespan="high"),
        value("B", "four_year_graduation", "95", gradespan="high"),
    ]
    found = ranked(values, dict.fromkeys("AB", BOTH))
    # Achievement: 25 and 75 in either school, mean 50. Completion decides; the weights are those of high schools.
    assert found["A", "all_students"].score == (Fraction("47.5") * 50 + 20 * 25) / Fraction("67.5")
    assert found["A", "all_students"].comparison_set == "both"
    assert found["B", "all_students"].percentile == 75


def test_schools_are_compared_within_their_set_only() -> None:
    values = [
        *scores_of("A", "490", "490"),
        *scores_of("B", "510", "510"),
        *scores_of("H", "60", "60", gradespan="high"),
    ]
    found = ranked(values, {"A": NON_HIGH, "B": NON_HIGH, "H": HIGH})
    assert {org: entry.percentile for (org, _), entry in found.items()} == {"A": 25, "B": 75, "H": 50}


# Years


def state(years: Mapping[int, Mapping[str, str]]) -> list[IndicatorValue]:
    """Year to school to the figure of both subjects."""
    return [
        row
        for year, schools in years.items()
        for org, score in schools.items()
        for row in scores_of(org, score, score, year=year)
    ]


def test_three_years_weigh_15_25_60() -> None:
    values = state(
        {2023: {"A": "500", "B": "510"}, 2024: {"A": "500", "B": "510"}, 2025: {"A": "510", "B": "500"}},
    )
    found = ranked(values, dict.fromkeys("AB", NON_HIGH), 2025)
    assert found["A", "all_students"].score == Fraction(15 * 25 + 25 * 25 + 60 * 75, 100) == 55
    assert found["A", "all_students"].percentile == 75


def test_a_missing_oldest_year_is_reweighed() -> None:
    values = state({2023: {"A": "500"}, 2024: {"A": "500", "B": "510"}, 2025: {"A": "510", "B": "500"}})
    found = ranked(values, dict.fromkeys("AB", NON_HIGH), 2025)
    assert found["B", "all_students"].score == Fraction(25 * 75 + 60 * 25, 85)


def test_the_policy_may_refuse_to_reweigh() -> None:
    values = state({2023: {"A": "500"}, 2024: {"A": "500", "B": "510"}, 2025: {"A": "510", "B": "500"}})
    rules = percentile_rules(changed(("percentile_missing_year", "earlier", "ineligible"), register=EXAMPLES), 2025)
    found, _ = percentiles(rules, values, dict.fromkeys("AB", NON_HIGH))
    assert [(entry.percentile, entry.status) for entry in found] == [(50, "ok"), (None, "no_prior_year")]


def test_a_school_without_a_prior_year_has_no_percentile_but_in_the_first_year_of_the_system() -> None:
    new = ranked(state({2025: {"A": "500"}}), {"A": NON_HIGH}, 2025)
    assert (new["A", "all_students"].percentile, new["A", "all_students"].status) == (None, "no_prior_year")
    first = ranked(state({2018: {"A": "500"}}), {"A": NON_HIGH}, 2018)
    assert first["A", "all_students"].percentile == 50


def test_2022_goes_back_to_2019() -> None:
    values = state({2019: {"A": "500", "B": "510"}, 2021: {"A": "400", "B": "400"}, 2022: {"A": "510", "B": "500"}})
    found = ranked(values, dict.fromkeys("AB", NON_HIGH), 2022)
    assert found["A", "all_students"].score == Fraction(40 * 25 + 60 * 75, 100)


# Eligibility


@pytest.mark.parametrize(("n", "percentile"), [(19, None), (20, 50)])
def test_twenty_students_in_both_subjects_are_needed(n: int, percentile: int | None) -> None:
    values = [value("A", "ela_achievement", "500", n=50), value("A", "math_achievement", "500", n=n)]
    found = ranked(values, {"A": NON_HIGH})
    assert found["A", "all_students"].percentile == percentile
    assert found["A", "all_students"].status == ("ok" if percentile else "n_too_small")


def test_a_school_without_results_is_there_with_its_reason() -> None:
    found = ranked([], {"A": NON_HIGH})
    assert (found["A", "all_students"].percentile, found["A", "all_students"].status) == (None, "n_too_small")


def test_one_gradespan_with_enough_students_suffices() -> None:
    values = [*scores_of("A", "500", "500", n=30), *scores_of("A", "500", "500", gradespan="high", n=12)]
    assert ranked(values, {"A": BOTH})["A", "all_students"].percentile == 50


def test_what_the_source_does_not_publish_is_said() -> None:
    row = IndicatorValue(2018, "A", "high", "all_students", "ela_achievement", None, 90, "missing_source")
    assert ranked([row], {"A": HIGH})["A", "all_students"].status == "missing_source"


# Student groups


def of_group(org: str, score: int, group: str = "all_students") -> list[IndicatorValue]:
    return scores_of(org, str(score), str(score), group=group)


def test_a_group_is_ranked_among_the_same_group_and_placed_as_a_school_of_its_own() -> None:
    values = [row for org, score in zip("ABCD", (480, 490, 500, 510), strict=True) for row in of_group(org, score)]
    for org, score in zip("ABCD", (495, 470, 475, 500), strict=True):
        values += of_group(org, score, "high_needs")
    found = ranked(values, dict.fromkeys("ABCD", NON_HIGH))
    assert [found[org, "high_needs"].percentile for org in "ABCD"] == [63, 13, 38, 88]
    register = changed(("federal_tsi", "group_percentile_at_most", "99"), register=EXAMPLES)
    entries, _ = percentiles(percentile_rules(register, 2018), values, dict.fromkeys("ABCD", NON_HIGH))
    alone = {entry.org_code: entry.alone for entry in entries if entry.student_group == "high_needs"}
    # 495 lies above two of four schools' values (rank 50 in both), and 50 again above two of four scores, and so on.
    assert alone == {"A": 50, "B": 1, "C": 1, "D": 63}


def test_the_lowest_performing_students_have_no_percentile() -> None:
    values = [*scores_of("A", "500", "500"), *scores_of("A", "480", "480", group="lowest_performing")]
    assert list(ranked(values, {"A": NON_HIGH})) == [("A", "all_students")]


# Trace and bad input


def test_the_step_holds_what_the_percentile_is_made_of() -> None:
    values = [*scores_of("A", "490", "490"), *scores_of("B", "495", "500")]
    _, steps = percentiles(percentile_rules(EXAMPLES, 2018), values, dict.fromkeys("AB", NON_HIGH))
    step: Step = steps[0]
    assert step.key == "2018/A/percentile/all_students"
    assert step.inputs == {
        "comparison_set": "non_high",
        "ranked": 2,
        "below": 0,
        "ties": 1,
        "score": "25",
        "years": {
            "2018": {
                "weight": "100",
                "with_el": False,
                "score": "25",
                "categories": {"achievement": "25"},
                "ranks": {"non_high": {"ela_achievement": 25, "math_achievement": 25}},
            }
        },
    }
    assert step.outcome == {"percentile": 25}
    assert {row.rule_id for row in step.parameters} == {
        "percentile_year_weight", "percentile_missing_year", "percentile_set", "weight", "percentile_rank",
    }  # fmt: skip


def test_bad_input_is_named() -> None:
    rules = percentile_rules(EXAMPLES, 2025)
    once = value("A", "ela_achievement", "500", year=2025)
    with pytest.raises(InputError, match="school B of 2025 is not in the directory"):
        percentiles(rules, [value("B", "ela_achievement", "500", year=2025)], {"A": NON_HIGH})
    with pytest.raises(InputError, match="ela_achievement stands there twice"):
        percentiles(rules, [once, once], {"A": NON_HIGH})
    with pytest.raises(InputError, match="n -1, value 500 and status ok do not fit together"):
        percentiles(rules, [once._replace(n=-1)], {"A": NON_HIGH})
    with pytest.raises(InputError, match="A serves no gradespan, which is no set"):
        percentiles(rules, [], {"A": frozenset()})


def test_a_school_that_has_closed_counts_no_more() -> None:
    values = [*state({2024: {"A": "500", "closed": "400"}, 2025: {"A": "500"}})]
    assert ranked(values, {"A": NON_HIGH}, 2025)["A", "all_students"].percentile == 50
