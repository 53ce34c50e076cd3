"""The policy rows that say who counts in a figure, found in the release by how the policy names its parameters.

Belongs here: which rules count an indicator. Does not: any value; how they are applied say the rules' pages of dbt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestration.explanation.reading import Row

EVERY = "every"
STUDENT = "student"
LEFT_OUT = "record_"
"""Beginning of the rules that leave a record out; their parameter is the indicator."""
RANKING = "record_no_ranking"
"""The one of them that is about choosing the lowest performing."""
BY_SUBJECT = {
    "achievement": ("tested_grades", "achievement_measure"),
    "growth": ("growth_grades",),
    "participation": ("tested_grades",),
}
"""What an indicator of a subject measures, to the rules whose parameter is the subject and the gradespan."""
ENOUGH = {"growth": "growth", "participation": "participation"}
"""What is measured, to the parameter of the least number of students; else it is that of all students."""
WHOLE_YEAR = ("achievement", "growth")
"""What is measured of students who were there the whole year."""
LOWEST = "lowest_performing"


def counting_rows(policy: Mapping[str, Mapping[tuple[str, str], Row]], row: Row, indicator: str) -> Iterator[Row]:
    """Policy rows of a figure in force in its year, by rule. A figure of public aggregates was counted elsewhere.

    `policy` holds rule to (year, parameter) to its row; `row` is one of indicator_results or participation_results.
    """
    year, span = str(row["school_year"]), row["gradespan"]
    subject, _, measured = indicator.partition("_")
    if measured not in BY_SUBJECT:
        subject = measured = ""
    wanted = [("minimum_n", ENOUGH.get(measured, "students"))]
    wanted += [(rule, f"{subject}_{span}") for rule in BY_SUBJECT.get(measured, ())]
    if row["source"] == STUDENT:
        wanted.append(("indicator_grades", f"{indicator}_{span}"))
        if measured in WHOLE_YEAR:
            wanted += [("full_year", row["org_type"]), ("full_year", "single_school_district")]
        wanted += [(indicator, parameter) for _, parameter in policy.get(indicator, {})]
        wanted += [(f"{measured}_status", parameter) for _, parameter in policy.get(f"{measured}_status", {})]
        if row["student_group"] == LOWEST:
            wanted += [(LOWEST, "share"), (LOWEST, f"{row['org_type']}_{span}")]
        left_out = [rule for rule in policy if rule.startswith(LEFT_OUT)]
        wanted += [(rule, indicator) for rule in left_out if rule != RANKING or row["student_group"] == LOWEST]
    for rule, parameter in dict.fromkeys(wanted):
        rows = policy.get(rule, {})
        if found := rows.get((year, parameter)) or rows.get((EVERY, parameter)):
            yield found
