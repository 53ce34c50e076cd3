# ruff: noqa: E501
"""The defects that the gates are tried with, a line each: room, table, what is done to it, the expectation that must fail.

A query stands over `t`, the table with a column `number` that counts its rows.
"""

from __future__ import annotations


def first(column: str, value: str) -> str:
    """The first row with another value."""
    return f"SELECT * REPLACE (CASE WHEN number = 1 THEN {value} ELSE {column} END AS {column}) FROM t"


def every(column: str, value: str) -> str:
    return f"SELECT * REPLACE ({value} AS {column}) FROM t"


DOUBLED = "SELECT * FROM t UNION ALL (SELECT * FROM t WHERE number = 1)"
MISSING = "SELECT * FROM t WHERE number <> 1"
STATE = "org_code = '00000000' AND gradespan = 'non_high' AND student_group = 'all_students'"

DEFECTS = [
    # room, table, what is done to it, the expectation that must fail
    ("source", "raw_sims/end_of_year", DOUBLED, "raw_sims.doubled_key"),
    ("source", "raw_sims/end_of_year", first("school_code", "'99999999'"), "raw_sims.unknown_school"),
    ("source", "raw_sims/end_of_year", first("days_in_attendance", "days_in_membership + 1"), "raw_sims.impossible_days"),
    ("source", "raw_sims/october_1", first("race_ethnicity", "NULL"), "raw_sims.lacks_a_value"),
    ("source", "raw_sims/october_1", first("school_year", "2024"), "raw_sims.other_year"),
    ("source", "raw_access", "SELECT * EXCLUDE (made_progress) FROM t", "raw_access.columns"),
    ("source", "raw_sims/end_of_year", "SELECT * FROM t WHERE number % 2 = 0", "raw_sims.end_of_year_students"),
    ("source", "raw_sims/october_1", "SELECT * FROM t WHERE number % 5 > 0", "raw_sims.enrolment_change_critical"),
    ("source", "raw_sims/october_1", every("low_income", "'01'"), "raw_sims.trait_shares_critical"),
    ("source", "raw_mcas", DOUBLED, "raw_mcas.doubled_key"),
    ("source", "raw_mcas", first("district_code", "'99990000'"), "raw_mcas.other_district"),
    ("source", "raw_mcas", every("math_growth_percentile", "math_growth_percentile + 60"), "raw_mcas.impossible_growth"),
    ("source", "raw_mcas", every("ela_scaled_score", "600"), "raw_mcas.impossible_score"),
    ("source", "raw_mcas", every("ela_test_status", "if(number % 2 = 0, 'NTA', ela_test_status)"), "raw_mcas.tested_share"),
    ("source", "raw_mcas", "SELECT * FROM t WHERE number % 2 = 0", "raw_mcas.tested_change_critical"),
    ("source", "raw_mcas", every("ela_scaled_score", "greatest(440, ela_scaled_score - 20)"), "raw_mcas.mean_score_change_critical"),
    ("source", "raw_access", every("overall_level", "7.5"), "raw_access.impossible_level"),
    ("source", "raw_course_schedules", first("subject_course_code", "'ALGEB'"), "raw_course_schedules.impossible_code"),
    ("source", "raw_graduation_cohorts", first("cohort_year", "cohort_year - 1"), "raw_graduation_cohorts.other_cohort"),
    ("source", "raw_dropouts", DOUBLED, "raw_dropouts.doubled_key"),
    ("source", "raw_organisations", "SELECT * FROM t WHERE org_type <> 'state'", "raw_organisations.one_of_each_at_least"),
    ("source", "raw_organisations", every("district_code", "if(org_type = 'school', '99990000', district_code)"), "raw_organisations.unknown_district"),
    ("indicators", "indicator_results", DOUBLED, "indicator_results.key"),
    ("indicators", "indicator_results", "SELECT * EXCLUDE (note) FROM t", "indicator_results.columns"),
    ("indicators", "indicator_results", first("student_group", "'left_handed'"), "indicator_results.student_group_words"),
    ("indicators", "indicator_results", every("value", "if(measure = 'percent', value + 100, value)"), "indicator_results.off_scale"),
    ("indicators", "indicator_results", every("value", "if(measure = 'percent', value - 0.1, value)"), "indicator_results.other_value"),
    ("indicators", "indicator_results", every("numerator", "denominator + 1"), "indicator_results.impossible_share"),
    ("indicators", "indicator_results", every("status", "'ok'"), "indicator_results.value_against_status"),
    ("indicators", "indicator_results", every("n", "if(status = 'ok', 19, n)"), "indicator_results.too_few_students"),
    ("indicators", "indicator_results", every("n", "if(student_group = 'high_needs', 100000, n)"), "indicator_results.groups_within_all_students"),
    ("indicators", "indicator_results", every("n", "if(student_group = 'hispanic', 0, n)"), "indicator_results.race_groups_make_all"),
    ("indicators", "indicator_results", every("n", "if(student_group = 'high_needs', 0, n)"), "indicator_results.high_needs_of_its_parts"),
    ("indicators", "indicator_results", every("n", "if(org_type = 'district', 1, n)"), "indicator_results.schools_within_district"),
    ("indicators", "indicator_results", every("n", "if(org_type = 'district', n + 1, n)"), "indicator_results.district_is_its_schools"),
    ("indicators", "indicator_results", every("value", f"if({STATE} AND indicator = 'chronic_absenteeism', value + 30, value)"), "indicator_results.chronic_absence_change_critical"),
    ("indicators", "indicator_results", every("value", f"if({STATE} AND indicator = 'ela_achievement', value + 9, value)"), "indicator_results.statewide_change_critical"),
    ("indicators", "participation_results", every("tested", "should_test + 1"), "participation_results.more_than_should"),
    ("indicators", "participation_results", every("rate", "rate - 1"), "participation_results.other_rate"),
    ("indicators", "organisations", every("enrolment_non_high", "enrolment_non_high // 10"), "participation_results.state_within_enrolment"),
    ("indicators", "organisations", DOUBLED, "organisations.key"),
    ("indicators", "organisations", "SELECT * FROM t WHERE org_type <> 'district'", "organisations.without_district"),
    ("indicators", "organisations", "SELECT * FROM t WHERE org_type <> 'school' OR number % 2 = 0", "organisations.without_organisation"),
    ("indicators", "organisations", every("enrolment", "if(org_type = 'state', 2 * enrolment, enrolment)"), "organisations.enrolment_change_critical"),
    ("indicators", "organisations", every("enrolment", "if(org_type = 'district', enrolment + 1, enrolment)"), "organisations.whole_within_parts"),
    ("determinations", "indicator_targets", every("target", "NULL"), "indicator_targets.target_against_status"),
    ("determinations", "indicator_points", every("points", "points + 1"), "indicator_points.points_within_possible"),
    ("determinations", "indicator_points", every("indicator", "'ela_growth'"), "indicator_points.key"),
    ("determinations", "target_percentages", every("weighted_earned", "weighted_possible + 1"), "target_percentages.earned_above_possible"),
    ("determinations", "target_percentages", every("kept", "kept + 1"), "target_percentages.other_than_points"),
    ("determinations", "target_percentages", DOUBLED, "target_percentages.key"),
    ("determinations", "accountability_percentiles", every("percentile", "100"), "accountability_percentiles.percentile_on_scale"),
    ("determinations", "accountability_percentiles", every("percentile", "100 - percentile"), "accountability_percentiles.out_of_order"),
    ("determinations", "determinations", MISSING, "determinations.without_determination"),
    ("determinations", "determinations", first("reason", "'Splendid'"), "determinations.reason_words"),
    ("determinations", "determinations", first("reason", "NULL"), "determinations.without_word"),
    ("determinations", "determinations", first("status", "NULL"), "determinations.without_word"),
    ("determinations", "determinations", every("percentile", "percentile + 1"), "determinations.other_percentile"),
    ("determinations", "determinations", first("trace_key", "'nowhere'"), "determination_trace.every_row_is_traced"),
    ("determinations", "federal_designations", MISSING, "federal_designations.without_federal_row"),
    ("determinations", "federal_designations", first("designation", "'Gold'"), "federal_designations.designation_words"),
    ("determinations", "determination_trace", DOUBLED, "determination_trace.steps_in_order"),
    ("assistance", "assistance_eligibility", MISSING, "assistance_eligibility.not_on_the_list"),
    ("assistance", "assistance_eligibility", first("region", "'Atlantis'"), "assistance_eligibility.region_words"),
    ("assistance", "assistance_eligibility", first("change", "'exited'"), "assistance_eligibility.change_against_grounds"),
    ("assistance", "assistance_assignments", MISSING, "assistance_assignments.not_assigned"),
    ("assistance", "assistance_assignments", every("lead_load", "lead_load + 1"), "assistance_assignments.other_load"),
    ("assistance", "assistance_assignments", DOUBLED, "assistance_assignments.key"),
]  # fmt: skip
WITHOUT_ROWS = {"raw_access.columns", "indicator_results.columns"}
"""What is wrong there is not in a row."""
