"""Everything that decides a year, built from the policy register and checked before any data is read.

Belongs here: bringing the rules of the room together. Does not: what any of them says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestration.determinations.classification_rules import combined_subjects
from orchestration.determinations.determination_rules import DeterminationRules, load_determination_rules
from orchestration.determinations.report_columns import LEVELS, reported_columns
from orchestration.determinations.scoring_rules import ScoringRules, scoring_rules, years_with_points
from orchestration.policy import Register


@dataclass(frozen=True)
class YearRules:
    """Everything that decides a year, checked. `scoring` is None in a year without points."""

    year: int
    scoring: ScoringRules | None
    rules: DeterminationRules
    columns: Mapping[str, tuple[str, ...]]
    combines_subjects: bool
    register: Register


def year_rules(register: Register, year: int) -> YearRules:
    """The rules of `year`. Raises InputError naming the policy row that is missing or contradicts another."""
    return YearRules(
        year=year,
        scoring=scoring_rules(register, year) if year in years_with_points(register) else None,
        rules=load_determination_rules(register, year),
        columns={level: reported_columns(register, year, level) for level in LEVELS},
        combines_subjects=combined_subjects(register, year),
        register=register,
    )
