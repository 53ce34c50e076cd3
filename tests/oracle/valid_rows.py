"""A valid row of each collection, and how a file of such rows with some changes is judged by the oracle."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tests.oracle.intake_oracle import References, Verdict, judge, read_contract

CONTRACTS = Path(__file__).resolve().parents[2] / "raw" / "contracts"
YEAR = 2025

STATE, BOSTON, SCHOOL, CHARTER = "00000000", "00350000", "00350062", "04360000"
STUDENT, CLASSMATE, STRANGER = "1000000001", "0000000002", "9999999999"
REFERENCES: References = {
    ("organisations", ("org_code",)): {(STATE,), (BOSTON,), (SCHOOL,), (CHARTER,)},
    ("sims", ("sasid",)): {(STUDENT,), (CLASSMATE,)},
}

VALID = {
    "sims": {
        "school_year": "2025",
        "collection_period": "end_of_year",
        "sasid": STUDENT,
        "school_code": SCHOOL,
        "grade": "05",
        "enrollment_status": "01",
        "days_in_attendance": "170",
        "days_in_membership": "180",
        "race_ethnicity": "31",
        "low_income": "00",
        "el_first_year": "00",
        "english_learner": "01",
        "former_english_learner": "0",
        "disability": "500",
    },
    "mcas": {
        "school_year": "2025",
        "sasid": STUDENT,
        "district_code": BOSTON,
        "school_code": SCHOOL,
        "grade": "05",
        "ela_test_status": "T",
        "ela_scaled_score": "500",
        "ela_growth_percentile": "50",
    },
    "hub_enrollment": {
        "sy": "2025",
        "dist_code": BOSTON,
        "dist_name": "Boston",
        "org_code": SCHOOL,
        "org_name": "A school",
        "org_type": "School",
        "total_cnt": "243",
        "as_pct": "0.25",
    },
    "assistance_plans": {
        "school_year": "2025",
        "plan_id": "P-1",
        "district_code": BOSTON,
        "school_code": SCHOOL,
        "staff_id": "L-7",
        "agreed_on": "2024-09-15",
        "support": "coaching",
        "unit": "hours",
        "planned": "40.5",
        "status": "active",
    },
    "published_targets": {
        "district_code": BOSTON,
        "org_code": SCHOOL,
        "student_group": "All Students",
        "gradespan": "Non-high school",
        "ela_path": "Path Forward",
        "ela_target": "497.3",
        "ela_included": "310",
        "graduation_increment": "-1.5",
    },
    "course_schedules": {
        "school_year": "2025",
        "sasid": STUDENT,
        "school_code": SCHOOL,
        "local_course_code": "ALG-1",
        "subject_course_code": "02052",
        "class_section": "A",
        "course_term": "01",
        "enrollment_status": "COM",
        "course_level": "H",
        "credit_available": "1",
        "credit_earned": "0.75",
    },
}
FIRST = {"published_targets": 3}  # the first row of data; 2 everywhere else


def contract_of(collection: str) -> Path:
    """The contract file of a collection."""
    return CONTRACTS / f"{collection}.yml"


def part_of(collection: str) -> str:
    """The part the examples deliver: SIMS at the end of the year; the others have no parts."""
    return "end_of_year" if collection == "sims" else ""


def rule_on(collection: str, text: str, **judged: str) -> Verdict:
    """Judge a file given as text."""
    part = judged.get("part", part_of(collection))
    return judge(contract_of(collection), text.encode(), year=YEAR, part=part, references=REFERENCES)


def file_of(collection: str, *rows: dict[str, str], part: str | None = None) -> str:
    """A file with standard headers: a row for every change of the valid row."""
    names = [one.name for one in read_contract(contract_of(collection), YEAR, part or part_of(collection)).fields]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if FIRST.get(collection) == 3:
        writer.writerow(["Targets and increments"])
    writer.writerow(names)
    for changes in rows:
        assert changes.keys() <= set(names)
        writer.writerow([(VALID[collection] | changes).get(name, "") for name in names])
    return out.getvalue()


def judge_rows(collection: str, *rows: dict[str, str]) -> Verdict:
    """What becomes of a file with these rows."""
    return rule_on(collection, file_of(collection, *rows))
