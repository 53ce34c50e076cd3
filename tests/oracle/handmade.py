"""Rows for hand-made examples: a plain row of each collection, and what an example changes.

Schools 00010005 and 00010010 lie in district 00010000, school 00020005 alone in district 00020000.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.oracle.indicator_oracle import STATE, Figure, Key
from tests.oracle.mcas_oracle import indicator_results
from tests.oracle.policy_reader import PROJECT_POLICY, Policy

NORTH, SOUTH, DISTRICT = "00010005", "00010010", "00010000"
FAR, FAR_DISTRICT = "00020005", "00020000"
AP = "04056"
Row = dict[str, Any]


# --- Rows: a plain student, and what an example changes --------------------------------------------------------------


def sims(student: int, school: str = NORTH, grade: str = "05", period: str = "end_of_year", **other: Any) -> Row:
    days = {"days_in_attendance": 180, "days_in_membership": 180} if period == "end_of_year" else {}
    plain = {
        "collection_period": period,
        "sasid": f"{student:010}",
        "school_code": school,
        "grade": grade,
        "enrollment_status": "01",
        "days_in_attendance": None,
        "days_in_membership": None,
        "race_ethnicity": "01",
        "low_income": "00",
        "english_learner": "00",
        "former_english_learner": "0",
        "disability": "500",
        "el_first_year": "00",
        "enrolled_since_october": None if period == "october_1" else "1",
    }
    return plain | days | other


def days(student: int, absent: int, membership: int, school: str = NORTH, grade: str = "05", **other: Any) -> Row:
    attended = {"days_in_membership": membership, "days_in_attendance": membership - absent}
    return sims(student, school, grade, **(attended | other))


def october(student: int, school: str = NORTH, grade: str = "10", **other: Any) -> Row:
    return sims(student, school, grade, "october_1", **other)


def access(student: int, made_progress: str | None = "1", grade: str = "05", status: str = "T") -> Row:
    row = {"sasid": f"{student:010}", "school_code": NORTH, "grade": grade, "test_status": status}
    return row | {"made_progress": made_progress}


def cohort(student: int, outcome: str, span: str = "4", year: int = 2024, school: str = NORTH, **other: Any) -> Row:
    row = {"cohort_span": span, "cohort_year": year, "sasid": f"{student:010}", "school_code": school}
    own = {"race_ethnicity": "01", "low_income": "0", "english_learner": "0", "disability": "0"}
    return row | {"outcome": outcome} | own | other


def dropout(student: int, school: str = NORTH) -> Row:
    return {"sasid": f"{student:010}", "school_code": school, "grade": "10", "reason": "36"}


def course(student: int, code: str = AP, status: str = "COM", school: str = NORTH) -> Row:
    row = {"sasid": f"{student:010}", "school_code": school, "subject_course_code": code}
    return row | {"enrollment_status": status}


SCORED = {"test_status": "T", "attempt": "F", "assessment": "NG", "performance_other": None, "legacy_equivalent": None}
LEGACY = {"assessment": "LG"}
SUBJECTS = ("ela", "math", "science")


def subject(name: str, score: int | None = 500, **other: Any) -> Row:
    """The columns of one subject of an mcas row: tested with the next-generation test, no growth percentile."""
    growth = {} if name == "science" else {"growth_percentile": None}
    return {f"{name}_{column}": value for column, value in (SCORED | {"scaled_score": score} | growth | other).items()}


def alternate(name: str, level: str | None, composite: int | None = 460) -> Row:
    return subject(name, composite, assessment="AL", performance_other=level)


def untested(name: str, status: str | None = "NTA") -> Row:
    attempt = {"attempt": "N" if status else None, "assessment": "NG" if status else None}
    return subject(name, None, test_status=status, **attempt)


def mcas(student: int, school: str = NORTH, grade: str = "05", *parts: Row, **other: Any) -> Row:
    """A test row; subjects that `parts` does not give have an empty status."""
    row: Row = {"sasid": f"{student:010}", "school_code": school, "grade": grade}
    for name in SUBJECTS:
        row |= untested(name, None)
    row |= {"science_highest_legacy_score": None, "science_highest_scaled_score": None}
    for part in parts:
        row |= part
    return row | other


def organisations(*more: str) -> list[Row]:
    """The directory: North and South in one district, Far alone in its own, and the schools given."""
    schools = [{"org_code": school, "org_type": "school"} for school in (NORTH, SOUTH, FAR, *more)]
    above = [{"org_code": DISTRICT}, {"org_code": FAR_DISTRICT}]
    rows = [*schools, *({**row, "org_type": "district"} for row in above)]
    state = {"org_code": "00000000", "org_type": "state", "district_code": "00000000"}
    return [state, *({**row, "district_code": row["org_code"][:4] + "0000"} for row in rows)]


def write(folder: Path, deliveries: Mapping[int, Mapping[str, list[Row]]]) -> dict[int, dict[str, list[Path]]]:
    """Write the rows given as `year: {collection: rows}` to Parquet files of their own."""
    files: dict[int, dict[str, list[Path]]] = {}
    for year, collections in deliveries.items():
        for collection, rows in collections.items():
            parts: dict[str, list[Row]] = {}
            for row in rows:  # sims has one file a part
                parts.setdefault(row.get("collection_period", "whole"), []).append(row)
            for part, part_rows in parts.items():
                path = folder / f"{collection}-{year}-{part}.parquet"
                table = pa.Table.from_pylist([{**row, "_delivery": "d1", "_row": 1} for row in part_rows])
                pq.write_table(table, path)
                files.setdefault(year, {}).setdefault(collection, []).append(path)
    return files


PLACES = (NORTH, SOUTH, DISTRICT, FAR, FAR_DISTRICT, STATE)


class AllFigures:
    """Computes the indicator results of `year` from rows given as `year: {collection: rows}`."""

    def __init__(
        self,
        folder: Path,
        deliveries: Mapping[int, Mapping[str, list[Row]]],
        year: int = 2025,
        policy: Policy = PROJECT_POLICY,
    ) -> None:
        whole = {y: {"organisations": organisations()} | dict(tables) for y, tables in deliveries.items()}
        self.all: dict[Key, Figure] = indicator_results(year, write(folder, whole), set(), policy=policy)

    def total(self, indicator: str, org: str = NORTH, group: str = "all_students", span: str = "non_high") -> str:
        """ "sum of students", or "none" where there is no row."""
        found = self.all.get((org, span, group, indicator))
        return f"{found.numerator} of {found.n}" if found else "none"

    def totals(self, indicator: str, span: str = "non_high", group: str = "all_students") -> dict[str, str]:
        """`total` of every place that has a row."""
        found = {org: self.total(indicator, org, group, span) for org in PLACES}
        return {org: total for org, total in found.items() if total != "none"}
