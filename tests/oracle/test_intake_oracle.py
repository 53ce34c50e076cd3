"""Worked examples that tie the oracle to raw/README.md.

Nothing here runs the pipeline. An example says: take a valid row, change these values, and this is what
becomes of it. The row is row 2 of its file, row 3 in published targets, whose header stands in row 2.
"""

from __future__ import annotations

import pytest

from tests.oracle.intake_oracle import expanded, judge, read_contract, with_year
from tests.oracle.valid_rows import (
    CLASSMATE,
    FIRST,
    REFERENCES,
    SCHOOL,
    STRANGER,
    STUDENT,
    VALID,
    YEAR,
    contract_of,
    file_of,
    judge_rows,
    rule_on,
)

BREAKS = [
    # required
    ("sims", {"sasid": ""}, "sasid: required"),
    ("sims", {"sasid": " \t "}, "sasid: required"),
    ("sims", {"days_in_attendance": ""}, "days_in_attendance: required"),  # at the end of the year only
    ("assistance_plans", {"planned": ""}, "planned: required"),
    # type
    ("sims", {"sasid": "100000000"}, "sasid: type"),  # nine digits; only organisation codes get zeros back
    ("sims", {"sasid": "10000000012"}, "sasid: type"),
    ("sims", {"school_code": "000350062"}, "school_code: type"),
    ("sims", {"school_code": "0035-062"}, "school_code: type"),
    ("sims", {"school_code": "350062.0"}, "school_code: type"),
    ("sims", {"school_code": "٣٥٠٠٦٢"}, "school_code: type"),  # digits, but not 0 to 9: nothing is repaired
    ("sims", {"sasid": "１０００００００٠1"}, "sasid: type"),
    ("sims", {"days_in_attendance": "1,7"}, "days_in_attendance: type"),
    ("sims", {"days_in_attendance": "170.5"}, "days_in_attendance: type"),
    ("sims", {"days_in_attendance": "170."}, "days_in_attendance: type"),
    ("sims", {"days_in_attendance": "+170"}, "days_in_attendance: type"),
    ("sims", {"days_in_attendance": "1_70"}, "days_in_attendance: type"),
    ("sims", {"days_in_attendance": "\u00a0170"}, "days_in_attendance: type"),  # a no-break space is no blank
    ("sims", {"days_in_attendance": "170\n"}, "days_in_attendance: type"),
    ("hub_enrollment", {"total_cnt": "1,243"}, "total_cnt: type"),
    ("hub_enrollment", {"as_pct": "2.5e-1"}, "as_pct: type"),
    ("hub_enrollment", {"as_pct": "nan"}, "as_pct: type"),
    ("hub_enrollment", {"as_pct": "25%"}, "as_pct: type"),
    ("hub_enrollment", {"as_pct": "."}, "as_pct: type"),
    ("hub_enrollment", {"sy": "25"}, "sy: type"),
    ("hub_enrollment", {"sy": "2025.0"}, "sy: type"),
    ("assistance_plans", {"agreed_on": "2025-02-30"}, "agreed_on: type"),
    ("assistance_plans", {"agreed_on": "2025-02-29"}, "agreed_on: type"),
    ("assistance_plans", {"agreed_on": "20240915"}, "agreed_on: type"),
    ("assistance_plans", {"agreed_on": "2024-9-15"}, "agreed_on: type"),
    ("assistance_plans", {"agreed_on": "2024-09-15T00:00:00"}, "agreed_on: type"),
    # year and part
    ("hub_enrollment", {"sy": "2024"}, "sy: year"),
    ("sims", {"collection_period": "march_1"}, "collection_period: part"),
    ("sims", {"collection_period": "March 1"}, "collection_period: code"),  # names no part at all
    # code
    ("sims", {"race_ethnicity": "64"}, "race_ethnicity: code"),
    ("sims", {"race_ethnicity": "06-31"}, "race_ethnicity: code"),
    ("sims", {"grade": "kf"}, "grade: code"),
    ("sims", {"former_english_learner": "0.0"}, "former_english_learner: code"),
    ("mcas", {"ela_test_status": "t"}, "ela_test_status: code"),
    ("assistance_plans", {"support": "Coaching"}, "support: code"),  # the label, not the code
    ("published_targets", {"ela_path": "Path  Forward"}, "ela_path: code"),
    # characters and formula
    ("hub_enrollment", {"org_name": "The Old\nschool"}, "org_name: characters"),
    ("hub_enrollment", {"org_name": "\u202eloohcs"}, "org_name: characters"),
    ("assistance_plans", {"plan_id": "=1+1"}, "plan_id: formula"),
    ("assistance_plans", {"plan_id": "-A1"}, "plan_id: formula"),
    ("assistance_plans", {"plan_id": "\t=A1"}, "plan_id: formula"),
    ("assistance_plans", {"plan_id": "=" + "A" * 40}, "plan_id: formula"),  # before max_length
    # pattern and max_length
    ("course_schedules", {"subject_course_code": "020521"}, "subject_course_code: pattern"),
    ("course_schedules", {"subject_course_code": "2O52"}, "subject_course_code: pattern"),
    ("course_schedules", {"course_term": "01\n"}, "course_term: pattern"),
    ("assistance_plans", {"plan_id": "P" * 31}, "plan_id: max_length"),
    # scale before range
    ("assistance_plans", {"planned": "40.55"}, "planned: scale"),
    ("assistance_plans", {"planned": "5000.01"}, "planned: scale"),
    ("assistance_plans", {"planned": "5000.1"}, "planned: range"),
    ("assistance_plans", {"planned": "-.1"}, "planned: range"),
    ("hub_enrollment", {"as_pct": "1.000001"}, "as_pct: range"),
    ("hub_enrollment", {"as_pct": "0.0000001"}, "as_pct: scale"),
    ("mcas", {"ela_scaled_score": "561"}, "ela_scaled_score: range"),
    ("mcas", {"ela_scaled_score": "199.0"}, "ela_scaled_score: range"),
    ("published_targets", {"graduation_increment": "-100.1"}, "graduation_increment: range"),
    # not_above: the other value must be valid itself
    ("sims", {"days_in_attendance": "181"}, "days_in_attendance: not_above"),
    ("sims", {"days_in_attendance": "9", "days_in_membership": "10"}, ""),  # as numbers, not as texts
    ("sims", {"days_in_attendance": "180.0", "days_in_membership": "180"}, ""),
    ("sims", {"days_in_attendance": "250", "days_in_membership": "x"}, "days_in_membership: type"),
    ("sims", {"days_in_attendance": "251"}, "days_in_attendance: range"),
    # foreign_key
    ("mcas", {"sasid": STRANGER}, "sasid: foreign_key"),
    ("mcas", {"sasid": STRANGER, "school_code": "00010001"}, "sasid: foreign_key, school_code: foreign_key"),
    ("mcas", {"sasid": "x"}, "sasid: type"),
    ("assistance_plans", {"school_code": ""}, ""),
    # one violation a field, but several fields of a row
    ("sims", {"grade": "99", "low_income": ""}, "grade: code, low_income: required"),
    # values that look odd and are right
    ("sims", {"days_in_membership": ""}, "days_in_membership: required"),
    ("sims", {"school_year": ""}, ""),  # the year is not required here
    ("assistance_plans", {"agreed_on": "2024-02-29"}, ""),
    ("assistance_plans", {"plan_id": "-1+2"}, ""),  # a sum of numbers runs nothing
    ("assistance_plans", {"plan_id": "NULL"}, ""),
    ("assistance_plans", {"plan_id": "\U0001f600" * 30}, ""),
    ("hub_enrollment", {"org_name": 'The "Old", school'}, ""),
    ("course_schedules", {"letter_mark": "+A"}, ""),  # no text of a student leaves the home
    ("hub_enrollment", {"as_pct": "1.0000000"}, ""),
    ("hub_enrollment", {"total_cnt": "9" * 18}, ""),  # no maximum: 18 digits are the limit of the store
    ("hub_enrollment", {"total_cnt": "1" + "0" * 18}, "total_cnt: range"),
]


@pytest.mark.parametrize(("collection", "changes", "expected"), BREAKS)
def test_a_changed_row_breaks_exactly_these_rules(collection: str, changes: dict[str, str], expected: str) -> None:
    verdict = judge_rows(collection, changes)
    row = FIRST.get(collection, 2)
    assert ", ".join(f"{field}: {rule}" for _, field, rule in sorted(verdict.violations)) == expected
    assert set(verdict.accepted) == (set() if expected else {row})
    assert {number for number, _, _ in verdict.violations} == ({row} if expected else set())


@pytest.mark.parametrize("collection", VALID)
def test_the_valid_row_is_accepted_as_it_stands(collection: str) -> None:
    verdict = judge_rows(collection, {})
    assert verdict.violations == set()
    assert verdict.repairs == {}
    (values,) = verdict.accepted.values()
    given_values = {name: value for name, value in values.items() if value is not None}
    numbers = {"as_pct": "0.250000", "credit_available": "1.00"}
    assert given_values == {name: numbers.get(name, value) for name, value in VALID[collection].items()}


@pytest.mark.parametrize(
    ("collection", "field", "written", "kept"),
    [
        ("sims", "days_in_attendance", "69.0", "69"),
        ("sims", "days_in_attendance", "-0", "0"),
        ("sims", "days_in_attendance", "-0.00", "0"),
        ("sims", "days_in_attendance", "007", "7"),
        ("sims", "days_in_attendance", "\t69 ", "69"),
        ("sims", "grade", " KF ", "KF"),
        ("sims", "disability", "500", "500"),
        ("hub_enrollment", "as_pct", ".5", "0.500000"),
        ("hub_enrollment", "as_pct", "1.", "1.000000"),
        ("hub_enrollment", "as_pct", "-0.0", "0.000000"),
        ("hub_enrollment", "as_pct", "0.000001", "0.000001"),
        ("hub_enrollment", "as_pct", "0.10000000000000000000000000000000000000", "0.100000"),
        ("hub_enrollment", "org_name", " Saint  Mary's\t", "Saint  Mary's"),
        ("hub_enrollment", "org_name", "two  words", "two  words"),
        ("hub_enrollment", "org_name", "\u00a0school", "\u00a0school"),
        ("published_targets", "graduation_increment", "-1.50", "-1.5"),
        ("assistance_plans", "planned", "0040.50", "40.5"),
        ("assistance_plans", "delivered", "", None),
    ],
)
def test_a_value_is_kept_in_one_form(collection: str, field: str, written: str, kept: str | None) -> None:
    (values,) = judge_rows(collection, {field: written}).accepted.values()
    assert values[field] == kept


def test_lost_leading_zeros_come_back_and_are_counted() -> None:
    verdict = judge_rows("sims", {"school_code": " 350062", "grade": "5", "disability": "7", "low_income": "0"})
    (values,) = verdict.accepted.values()
    assert [values[name] for name in ("school_code", "grade", "disability", "low_income")] == [
        SCHOOL,
        "05",
        "07",
        "00",
    ]
    assert verdict.repairs == {"school_code": 1, "grade": 1, "disability": 1, "low_income": 1}


def test_a_repair_is_counted_even_when_the_row_fails() -> None:
    verdict = judge_rows("sims", {"race_ethnicity": "0"}, {"race_ethnicity": "1", "sasid": CLASSMATE})
    assert verdict.violations == {(2, "race_ethnicity", "code")}
    assert verdict.repairs == {"race_ethnicity": 2}


def test_zeros_are_not_added_to_the_codes_that_need_none() -> None:
    assert judge_rows("sims", {"former_english_learner": "1"}).repairs == {}
    assert judge_rows("sims", {"sasid": "2"}).violations == {(2, "sasid", "type")}


def test_every_row_of_a_doubled_key_fails_whether_equal_or_contradicting() -> None:
    verdict = judge_rows("sims", {}, {"grade": "06"}, {"sasid": CLASSMATE}, {})
    assert verdict.delivered == 4
    assert verdict.violations == {(row, "collection_period", "duplicate_key") for row in (2, 3, 5)}
    assert set(verdict.accepted) == {4}


def test_keys_are_compared_after_blanks_and_zeros_are_put_right() -> None:
    verdict = judge_rows("hub_enrollment", {}, {"org_code": " 350062 "})
    assert verdict.violations == {(2, "sy", "duplicate_key"), (3, "sy", "duplicate_key")}


def test_a_failing_row_still_doubles_a_key() -> None:
    verdict = judge_rows("mcas", {}, {"grade": "99"})
    assert verdict.violations == {
        (2, "sasid", "duplicate_key"),
        (3, "sasid", "duplicate_key"),
        (3, "grade", "code"),
    }


def test_rows_with_an_invalid_or_missing_key_are_not_compared() -> None:
    assert judge_rows("mcas", {"sasid": "x"}, {"sasid": "x"}).violations == {
        (2, "sasid", "type"),
        (3, "sasid", "type"),
    }
    other_year = judge_rows("hub_enrollment", {"sy": "2024"}, {"sy": "2024"}, {})
    assert other_year.violations == {(2, "sy", "year"), (3, "sy", "year")}
    assert set(other_year.accepted) == {4}


def test_a_row_can_be_doubled_and_refer_to_nothing() -> None:
    verdict = judge_rows("mcas", {"sasid": STRANGER}, {"sasid": STRANGER})
    assert verdict.violations == {(row, "sasid", rule) for row in (2, 3) for rule in ("duplicate_key", "foreign_key")}


def test_days_may_be_missing_in_october_but_not_at_the_end_of_the_year() -> None:
    changes = {"collection_period": "october_1", "days_in_attendance": "", "days_in_membership": ""}
    text = file_of("sims", changes)
    assert not rule_on("sims", text, part="october_1").violations
    assert rule_on("sims", text).violations == {
        (2, "collection_period", "part"),
        (2, "days_in_attendance", "required"),
        (2, "days_in_membership", "required"),
    }


def test_a_row_with_too_many_or_too_few_values_is_not_looked_at_further() -> None:
    header, valid = file_of("mcas", {}).splitlines()
    wrong = valid.replace(STUDENT, "x")
    verdict = rule_on("mcas", "\n".join([header, wrong + ",", wrong.rpartition(",")[0], valid + ",1", valid]))
    assert verdict.delivered == 4
    assert verdict.violations == {(2, "", "field_count"), (3, "", "field_count"), (4, "", "field_count")}
    assert set(verdict.accepted) == {5}  # nor do rows 2 to 4 count as rows with the same key


def test_a_line_break_inside_quotes_does_not_move_the_row_numbers() -> None:
    verdict = judge_rows("assistance_plans", {"plan_id": "one\r\ntwo\nthree"}, {"plan_id": "P-2", "unit": "weeks"})
    assert verdict.violations == {(2, "plan_id", "characters"), (3, "unit", "code")}


def test_headers_may_be_element_codes_in_any_order_and_case() -> None:
    elements = {
        "school_code": "sprp_SCH",
        "sasid": "SASID",
        "ela_scaled_score": " EScaledS\t",
        "school_year": "AdminYear",
    }
    row = dict.fromkeys((one.name for one in read_contract(contract_of("mcas"), YEAR, "").fields), "")
    row |= VALID["mcas"] | {"ela_scaled_score": "501"}
    names = [*reversed(row), "eitem1", "SITEM45", "GRADE2021"]
    text = ",".join(elements.get(name, name) for name in names) + "\r\n"
    text += ",".join(row.get(name, "dropped") for name in names)
    verdict = judge(contract_of("mcas"), b"\xef\xbb\xbf" + text.encode(), year=YEAR, references=REFERENCES)
    assert verdict.violations == set()
    assert verdict.accepted[2]["ela_scaled_score"] == "501"
    assert verdict.accepted[2].keys() == row.keys()


def test_headers_of_published_targets_move_with_the_year() -> None:
    assert with_year("{Y-1} ELA Achievement Baseline", 2025) == "2024 ELA Achievement Baseline"
    assert with_year("Annual Rate ({Y}-{Y+2})", 2025) == "Annual Rate (2025-2027)"
    contract = read_contract(contract_of("published_targets"), 2025, "")
    header = [one.element or "" for one in contract.fields]
    assert "Annual  Dropout Rate Reduction (%)" in header  # two blanks, one is as good
    header = [title.replace("  ", " ") for title in header]
    row = [VALID["published_targets"].get(one.name, "") for one in contract.fields]
    text = "Targets\n" + ",".join(header) + "\n" + ",".join(row) + "\n"
    assert set(rule_on("published_targets", text).accepted) == {3}
    with pytest.raises(ValueError, match="unknown column"):
        judge(contract_of("published_targets"), text.encode(), year=2026, references=REFERENCES)


def test_the_columns_of_the_year_and_the_part_may_be_left_out() -> None:
    header, row = (line.split(",") for line in file_of("sims", {}).splitlines())
    keep = [index for index, name in enumerate(header) if name not in ("school_year", "collection_period")]
    verdict = rule_on("sims", "\n".join(",".join(line[index] for index in keep) for line in (header, row)))
    assert verdict.accepted[2]["school_year"] == "2025"
    assert verdict.accepted[2]["collection_period"] == "end_of_year"


def test_hub_columns_that_nobody_knows_are_passed_over() -> None:
    header, row = file_of("hub_enrollment", {}).splitlines()
    assert set(rule_on("hub_enrollment", f"{header},new_cnt\n{row},5\n").accepted) == {2}


def test_deliveries_refused_whole_are_left_to_others() -> None:
    header, row = file_of("mcas", {}).splitlines()
    refused = {
        "unknown column": f"{header},new\n{row},5\n",
        "doubled column": f"{header},sprp_sch\n{row},{SCHOOL}\n",
        "missing column": "".join(",".join(line.split(",")[2:]) + "\n" for line in (header, row)),
        "blank line": f"{header}\n\n{row}\n",
        "header only": f"{header}\n",
        "NUL": f"{header}\n{row}\0\n",
    }
    for reason, text in refused.items():
        with pytest.raises(ValueError, match=reason):
            rule_on("mcas", text)
    rule_on("mcas", f"{header.rpartition(',')[0]}\n{row.rpartition(',')[0]}\n")  # an optional column may be left out
    with pytest.raises(ValueError, match="no part"):
        read_contract(contract_of("sims"), YEAR, "")


def test_code_ranges_are_written_out() -> None:
    assert expanded(["01", "06-09", "ALL (03-08)"]) == {"01", "06", "07", "08", "09", "ALL (03-08)"}
