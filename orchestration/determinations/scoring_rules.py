"""The rules of points and percentages of a year, and the check that no row of their policy file goes unread.

Belongs here: building both from the register, once, before any data. Does not: what they mean.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestration.determinations.comparisons import ComparisonRules, comparison_rules
from orchestration.determinations.percentage_rules import PercentageRules, percentage_rules
from orchestration.determinations.points_rules import PointsRules, points_rules
from orchestration.errors import InputError
from orchestration.policy import EVERY, Register

POLICY_FILE = "policy_determinations.csv"
RULE_IDS = frozenset(
    {
        *("column_indicators", "student_group_column", "weight", "missing_category"),
        *("route_points", "rating_target", "rating_growth", "rating_none", "measure_scale", "growth_band"),
        *("target_tolerance", "no_change_band", "absolute_level", "comparison_route"),
        *("missing_prior_year", "missing_target", "statewide_percentile"),
        *("possible_points", "decimals_kept", "decimals_shown", "population_weight", "missing_population"),
        *("gradespan_weight", "cumulative"),
    }
)


@dataclass(frozen=True)
class ScoringRules:
    """What decides points and percentages of one year."""

    points: PointsRules
    comparisons: ComparisonRules
    percentages: PercentageRules


def scoring_rules(register: Register, year: int) -> ScoringRules:
    """The rules of `year`. Raises InputError naming the row that is missing, unknown, unread or contradicts another."""
    check_rows(register)
    return ScoringRules(
        points_rules(register, year), comparison_rules(register, year), percentage_rules(register, year)
    )


def years_with_points(register: Register) -> tuple[int, ...]:
    """School years with full determinations, ascending."""
    return tuple(
        year for year in register.school_years if register.row(year, "calendar", "determinations").value == "full"
    )


def check_rows(register: Register) -> None:
    """Raise InputError for a row of the policy file that no rule would read: its rule or its year is not known.

    An unknown parameter is found when the rules of a year are built.
    """
    years = {EVERY, *map(str, years_with_points(register))}
    for row in register.rows:
        if POLICY_FILE not in row.where:
            continue
        if row.rule_id not in RULE_IDS:
            raise InputError(f"{row.where}: rule '{row.rule_id}' is not known to points or percentages")
        if row.policy_year not in years:
            raise InputError(f"{row.where}: {row.policy_year} has no points; the calendar says which years have")
