"""The policy of points and percentages is complete, adds up, and says so by row when it does not."""

from __future__ import annotations

import pytest

from orchestration.determinations.points_rules import points_rules
from orchestration.determinations.report_columns import category_weights, report_columns, reported_columns
from orchestration.determinations.scoring_rules import (
    POLICY_FILE,
    RULE_IDS,
    check_rows,
    scoring_rules,
    years_with_points,
)
from orchestration.errors import InputError
from orchestration.policy import Register
from tests.support.determinations import REGISTER, added, changed, without


def test_five_years_have_points() -> None:
    assert years_with_points(REGISTER) == (2018, 2019, 2023, 2024, 2025)


@pytest.mark.parametrize("year", years_with_points(REGISTER))
def test_the_rules_of_every_year_with_points_are_complete(year: int) -> None:
    rules = scoring_rules(REGISTER, year)
    assert rules.points.year == rules.percentages.year == year
    assert (rules.percentages.prior_year, rules.percentages.years is None) == {
        2018: (None, True),
        2019: (2018, False),
        2023: (None, True),
        2024: (2023, False),
        2025: (2024, False),
    }[year]


def test_the_weights_are_those_that_reports_print() -> None:
    weights = {
        (name, with_el): {category: row.value for category, row in scheme.items()}
        for name, column in report_columns(REGISTER, 2025).items()
        for with_el, scheme in column.weights.items()
    }
    lowest = {"achievement": "67.5", "growth": "22.5", "additional": "10"}
    assert weights == {
        ("non_high_all", True): {"achievement": "60", "growth": "20", "el_progress": "10", "additional": "10"},
        ("non_high_all", False): {"achievement": "67.5", "growth": "22.5", "additional": "10"},
        ("non_high_lowest", False): lowest,
        ("high_all", True): {
            "achievement": "40",
            "growth": "20",
            "completion": "20",
            "el_progress": "10",
            "additional": "10",
        },
        ("high_all", False): {"achievement": "47.5", "growth": "22.5", "completion": "20", "additional": "10"},
        ("high_lowest", False): lowest,
    }


def test_percentiles_have_weights_in_a_year_without_points_too() -> None:
    assert set(category_weights(REGISTER, 2022)) == {
        (span, with_el) for span in ("non_high", "high") for with_el in (True, False)
    }


def test_there_was_no_lowest_performing_column_for_high_schools_in_2023() -> None:
    everything = ("non_high_all", "non_high_lowest", "high_all", "high_lowest")
    assert reported_columns(REGISTER, 2023, "district") == ("non_high_all", "non_high_lowest", "high_all")
    assert reported_columns(REGISTER, 2023, "state") == ("non_high_all", "high_all")
    assert reported_columns(REGISTER, 2024, "state") == everything
    assert reported_columns(REGISTER, 2018, "state") == ("non_high_all", "high_all")


def test_the_measures_are_those_of_the_year() -> None:
    def measures(year: int) -> dict[tuple[str, str], str]:
        yardsticks = points_rules(REGISTER, year).yardsticks
        return {
            (gradespan, subject): yardsticks[(f"{gradespan}_all", f"{subject}_achievement")].measure
            for gradespan in ("non_high", "high")
            for subject in ("ela", "science")
        }

    assert measures(2019) == {
        ("non_high", "ela"): "scaled_score",
        ("non_high", "science"): "cpi",
        ("high", "ela"): "cpi",
        ("high", "science"): "cpi",
    }
    assert set(measures(2023).values()) == {"scaled_score"}


BAD = [
    (changed(("weight", "high_all_with_el_growth", "21")), "the weights of high_all_with_el sum to 101, not to 100"),
    (changed(("weight", "high_all_with_el_growth", "a fifth")), "value 'a fifth' of weight.high_all_with_el_growth"),
    (without("weight", "non_high_all_without_el_growth"), "rule weight, parameter non_high_all_without_el_growth"),
    (added("weight", "high_all_with_el_luck", "5", POLICY_FILE), "parameter 'high_all_with_el_luck' of weight is not"),
    (without("column_indicators", "high_all_el_progress"), "rule column_indicators, parameter high_all_el_progress"),
    (changed(("column_indicators", "high_all_growth", "ela_growth ela_luck")), "'ela_luck' is not one of"),
    (changed(("column_indicators", "high_all_growth", "ela_achievement")), "ela_achievement stands in two categories"),
    (added("column_indicators", "middle_all_growth", "ela_growth", POLICY_FILE), "begins with no column"),
    (
        changed(("growth_band", "3", "50.0 59.8"), year=2025),
        "a gap between the bands that end at 59.8",
    ),
    (changed(("growth_band", "2", "39.9 49.9"), year=2025), "an overlap between the bands that end at 39.9"),
    (
        changed(("growth_band", "4", "60.0 98.0"), year=2025),
        "growth band ends at 98.0, the scale at 99.0",
    ),
    (changed(("growth_band", "0", "0.0 29.9"), year=2025), "the outermost growth band ends at 0.0, the scale at 1.0"),
    (changed(("growth_band", "1", "30.0"), year=2025), "must be two numbers, from and to"),
    (changed(("growth_band", "1", "39.9 30.0"), year=2025), "must be two numbers, from and to"),
    (without("growth_band", "2", 2025), "rule growth_band, parameter 2"),
    (without("target_tolerance", "high_annual_dropout", 2025), "rule target_tolerance, parameter high_annual_dropout"),
    (changed(("target_tolerance", "high_annual_dropout", "-1"), year=2025), "must be at least 0"),
    (without("no_change_band", "non_high_scaled_score", 2025), "rule no_change_band, parameter non_high_scaled_score"),
    (added("no_change_band", "high_cpi", "2.5", POLICY_FILE, "2025"), "parameter 'high_cpi' of no_change_band is not"),
    (changed(("comparison_route", "high_scaled_score_4", "the_best"), year=2025), "'the_best' of comparison_route."),
    (changed(("route_points", "improved", "3")), "do not fall by one to 0"),
    (without("rating_target", "2"), "rule rating_target, parameter 2"),
    (changed(("missing_prior_year", "routes", "change")), "'change' is not one of absolute, comparison, target"),
    (changed(("missing_target", "routes", "target")), "'target' is not one of absolute, change, comparison"),
    (changed(("statewide_percentile", "method", "linear")), "is not one of nearest_rank"),
    (without("decimals_kept", "annual", 2025), "rule decimals_kept, parameter annual"),
    (changed(("decimals_kept", "annual", "1.5"), year=2025), "must be a whole number"),
    (changed(("population_weight", "all", "60")), "population_weight of 2025 sums to 110, not to 100"),
    (changed(("cumulative", "prior_weight", "41"), year=2025), "cumulative of 2025 sums to 101, not to 100"),
    (changed(("cumulative", "prior_year", "2025"), year=2025), "prior year 2025 is not before 2025"),
    (changed(("cumulative", "without_prior", "prior")), "is not one of current_alone, none"),
    (changed(("gradespan_weight", "method", "area"), year=2025), "is not one of enrolment, fixed"),
    (changed(("enrolment_grades", "high", "08 09")), "grade 08 weighs both gradespans"),
    (added("luck", "factor", "1", POLICY_FILE), "rule 'luck' is not known to points or percentages"),
    (added("target_tolerance", "high_cpi", "1", POLICY_FILE, "2022"), "2022 has no points; the calendar says"),
]


@pytest.mark.parametrize(("register", "problem"), BAD, ids=[problem for _, problem in BAD])
def test_a_broken_policy_names_the_row(register: Register, problem: str) -> None:
    with pytest.raises(InputError) as error:
        scoring_rules(register, 2025)
    assert problem in str(error.value)
    assert "row" in str(error.value)


def test_fixed_gradespan_weights_sum_to_a_hundred() -> None:
    with pytest.raises(InputError, match=r"row \d+: gradespan_weight of 2018 sums to 105, not to 100"):
        scoring_rules(changed(("gradespan_weight", "non_high", "75"), year=2018), 2018)


def test_every_rule_that_is_known_has_rows() -> None:
    check_rows(REGISTER)
    assert {row.rule_id for row in REGISTER.rows if POLICY_FILE in row.where} == RULE_IDS


def test_each_inferred_row_of_points_can_be_moved_to_another_value() -> None:
    """A scenario is other rows: nothing in the code holds the value."""
    strict = changed(("target_tolerance", "high_scaled_score", "0"), year=2025)
    found = points_rules(strict, 2025).yardsticks[("high_all", "ela_achievement")].routes[(False, False)]
    assert next(route.limit for route in found if route.kind == "within_target") == 0
