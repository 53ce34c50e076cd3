"""The rules of targets, percentiles, classification and federal designations of a year, and no row left unread.

Belongs here: building the four from the register, once, before any data. Does not: what they mean.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestration.determinations.classification_rules import (
    ClassificationRules,
    category_of_level,
    classification_rules,
    combined_subjects,
)
from orchestration.determinations.federal import FederalRules, federal_rules
from orchestration.determinations.percentile_rules import PercentileRules, percentile_rules, served_gradespans
from orchestration.determinations.target_rules import TargetRules, target_rules
from orchestration.errors import InputError
from orchestration.policy import Register

READ: dict[str, dict[str, frozenset[str] | None]] = {
    "policy_percentiles.csv": {
        "served_grades": None,
        "percentile_set": None,
        "indicator_direction": None,
        "percentile_year_weight": None,
        "percentile_missing_year": frozenset({"earlier"}),
        "percentile_rank": None,
        "percentile_eligibility": frozenset({"indicators", "years"}),
        "percentile_group": None,
    },
    "policy_classification.csv": {
        "overall_word": None,
        "reason_word": None,
        "progress_band": None,
        "classification": frozenset({"precedence", "single_school_district"}),
        "classification_tests": None,
        "classification_needs": None,
        "percentile_test": frozenset({"at_most"}),
        "group_percentile_test": frozenset({"at_most", "groups"}),
        "graduation_rate_test": frozenset({"below"}),
        "participation_test": frozenset({"below", "groups", "rate", "combined_subjects"}),
        "designation": frozenset({"in_force_on"}),
        "designation_reason": None,
        "designation_excludes": None,
        "recognition": frozenset({"grounds_needed"}),
        "recognition_label": None,
        "level_crosswalk": None,
        "federal": frozenset({"identification", "precedence"}),
        "federal_csi": None,
        "federal_tsi": None,
        "federal_atsi": None,
        "federal_word": None,
        "title_i_status": None,
    },
    "policy_targets.csv": {
        "target_indicator": None,
        "gradespan_label": None,
        "target_step": None,
        "target_path": None,
    },
}
"""Rules by policy file, with their parameters; None where the rule's own builder checks them."""


@dataclass(frozen=True)
class DeterminationRules:
    """What decides targets, percentiles, classifications and federal designations of one year."""

    targets: TargetRules
    percentiles: PercentileRules
    classification: ClassificationRules
    federal: FederalRules


def load_determination_rules(register: Register, year: int) -> DeterminationRules:
    """The rules of `year`. Raises InputError naming the row that is missing, unknown, unread or contradicts another."""
    check_read(register)
    served_gradespans(register, year, "01", "12")
    combined_subjects(register, year)
    category_of_level(register, "level_1")
    return DeterminationRules(
        targets=target_rules(register, year),
        percentiles=percentile_rules(register, year),
        classification=classification_rules(register, year),
        federal=federal_rules(register, year),
    )


def check_read(register: Register) -> None:
    """Raise InputError for a row of these policy files that nothing reads."""
    for row in register.rows:
        rules = next((rules for file, rules in READ.items() if file in row.where), None)
        if rules is None:
            continue
        if row.rule_id not in rules:
            raise InputError(f"{row.where}: rule '{row.rule_id}' is not known to determinations")
        parameters = rules[row.rule_id]
        if parameters is not None and row.parameter not in parameters:
            raise InputError(f"{row.where}: parameter '{row.parameter}' of {row.rule_id} is not known")
