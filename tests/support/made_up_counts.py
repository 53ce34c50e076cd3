"""A made-up state as the tables of a release hold it, whose counts add up over groups, schools and districts."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.attack import RACES

YEAR = 2025
STATE = "00000000"
Rows = list[dict[str, Any]]


def state(draw: Random, sizes: list[int], schools: int, folder: Path) -> Path:
    """Tables of a state whose schools' race groups have `sizes`; everything adds up."""
    counts: dict[tuple[str, str, str, str], int] = {}
    district_of: dict[str, str] = {}
    for number in range(schools):
        district = f"{1 + number % max(1, schools // 3):04d}0000"
        school = f"{district[:4]}{number + 1:04d}"
        district_of[school] = district
        for span in draw.choice((("non_high",), ("high",), ("non_high", "high"))):
            for race in RACES[:4]:
                for measure in ("ela", "math"):
                    n = draw.choice(sizes)
                    needy = draw.randint(0, n)
                    for org in (school, district, STATE):
                        for group, count in ((race, n), ("all_students", n), ("high_needs", n), ("low_income", needy)):
                            if count:
                                key = (org, span, group, measure)
                                counts[key] = counts.get(key, 0) + count
    return write(folder, tables_of(counts, district_of))


def tables_of(counts: dict[tuple[str, str, str, str], int], district_of: dict[str, str]) -> dict[str, Rows]:
    """The tables of a release that such counts stand in."""
    types = {STATE: "state", **dict.fromkeys(district_of.values(), "district"), **dict.fromkeys(district_of, "school")}
    organisations = [
        {
            "org_code": code, "org_type": kind, "district_code": district_of.get(code, code), "schools": 1,
            "enrolment_non_high": counts.get((code, "non_high", "all_students", "ela"), 0),
            "enrolment_high": counts.get((code, "high", "all_students", "ela"), 0),
            **dict.fromkeys(("org_name", "school_type", "town", "county", "former_center", "title_i"), "x"),
            "lowest_grade": "KF", "highest_grade": "12", "source": "student",
        }
        for code, kind in types.items()
    ]  # fmt: skip
    results, rates = [], []
    for (code, span, group, measure), n in counts.items():
        common = {
            "org_code": code, "org_type": types[code], "gradespan": span, "student_group": group, "status": "ok",
            "source": "student", "n": n,
        }  # fmt: skip
        results.append(
            common
            | {
                "indicator": f"{measure}_achievement",
                "measure": "percent",
                "value": Decimal("100.0"),
                "denominator": n,
                "numerator": n,
                "data_year": YEAR,
            }
        )
        rates.append(
            common
            | {
                "subject": measure,
                "should_test": n,
                "tested": n,
                "not_tested": 0,
                "rate": 100,
                "two_year_should_test": 2 * n,
                "two_year_rate": 100,
                "two_year_status": "ok",
            }
        )
    groups = sorted({(code, group) for code, _, group, _ in counts})
    percentiles = [
        {"org_code": code, "org_type": types[code], "student_group": group, "comparison_set": "high",
         "percentile": 50, "status": "ok"}
        for code, group in groups
    ]  # fmt: skip
    return {
        "organisations": organisations,
        "indicator_results": results,
        "participation_results": rates,
        "accountability_percentiles": percentiles,
    }


def write(folder: Path, tables: dict[str, Rows]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in ((name, rows) for name, rows in tables.items() if rows):
        pq.write_table(pa.Table.from_pylist([{"school_year": YEAR} | row for row in rows]), folder / f"{name}.parquet")
    return folder
