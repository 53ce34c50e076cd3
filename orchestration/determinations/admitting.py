"""Whether the tables of a year can be decided from at all, asked before any rule reads them.

Belongs here: figures that cannot be, whatever the policy. Does not: rows that break an expectation of the year (the
gates), nor ledgers that contradict each other (`ledgers`). A gate has passed before in the annual run; this room does
not rely on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import duckdb

from orchestration.engine import connect
from orchestration.errors import InputError

NEEDED = {
    "indicator_results": (
        *("school_year", "org_code", "org_type", "gradespan", "student_group", "indicator", "measure"),
        *("value", "n", "numerator", "denominator", "data_year", "status"),
    ),
    "participation_results": ("school_year", "org_code", "gradespan", "student_group", "subject", "tested"),
    "organisations": ("school_year", "org_code", "org_type", "district_code"),
}
KEYS = {
    "indicator_results": ("org_code", "gradespan", "student_group", "indicator"),
    "participation_results": ("org_code", "gradespan", "student_group", "subject"),
    "organisations": ("org_code",),
}


def admit(year: int, folder: Path, scales: Mapping[str, tuple[Decimal, Decimal]]) -> None:
    """Raise InputError naming table, row and field of the first figure of `year` that cannot be.

    `scales`: measure to the ends of its scale (rule measure_scale). A school that has closed since keeps the figures of
    earlier data years, so only a figure of the year's own data needs its organisation in the directory.
    """
    with connect() as con:
        for table, columns in NEEDED.items():
            _open(con, folder / f"{table}.parquet", columns)
        con.execute("CREATE TABLE scale (measure VARCHAR, low DECIMAL(9, 1), high DECIMAL(9, 1))")
        con.executemany("INSERT INTO scale VALUES (?, ?, ?)", [[name, *ends] for name, ends in scales.items()])
        for table, key in KEYS.items():
            place = ", ".join(key)
            _refuse(con, table, key, f"school_year <> {year}", "school_year", f"is not {year}")
            doubled = f"({place}) IN (SELECT ({place}) FROM {table} GROUP BY {place} HAVING count(*) > 1)"
            _refuse(con, table, key, doubled, "school_year", "stands there twice")
        for field in ("n", "numerator", "denominator"):
            _refuse(con, "indicator_results", KEYS["indicator_results"], f"{field} < 0", field, "is negative")
        figures = "indicator_results", KEYS["indicator_results"]
        unknown = "measure NOT IN (SELECT measure FROM scale)"
        _refuse(con, *figures, unknown, "measure", "has no row in the policy rule measure_scale")
        off = "value NOT BETWEEN (SELECT low FROM scale s WHERE s.measure = t.measure) AND "
        off += "(SELECT high FROM scale s WHERE s.measure = t.measure)"
        _refuse(con, *figures, off, "value", "is off the scale of its measure")
        absent = "data_year = school_year AND org_code NOT IN (SELECT org_code FROM organisations)"
        _refuse(con, *figures, absent, "org_code", "is not in organisations")


def _open(con: duckdb.DuckDBPyConnection, file: Path, columns: tuple[str, ...]) -> None:
    """A view of the file, named after it."""
    if not file.exists():
        raise InputError(f"{file}: is missing; make the indicator tables of that year again")
    con.read_parquet(str(file)).create_view(file.stem)
    there = con.table(file.stem).columns
    if lacking := [column for column in columns if column not in there]:
        raise InputError(f"{file}: has no column '{lacking[0]}'; make the indicator tables of that year again")


def _refuse(
    con: duckdb.DuckDBPyConnection, table: str, key: tuple[str, ...], condition: str, field: str, problem: str
) -> None:
    names = ", ".join(key)
    found = con.execute(f"SELECT {field}, {names} FROM {table} t WHERE {condition} ORDER BY ALL").fetchall()
    if found:
        value, *place = found[0]
        more = f" (and {len(found) - 1:,} more rows)" if len(found) > 1 else ""
        raise InputError(f"{table}: {' '.join(place)}: {field} {value} {problem}{more}; correct the delivery behind it")
