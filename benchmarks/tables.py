"""What the other ways of making the indicator tables share: their command line, which files they read, the comparison.

Belongs here: nothing that computes a figure, and nothing of `orchestration`, which these scripts do without.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

YEARS = (2024, 2025)
"""Years whose rules the scripts have: scaled scores everywhere, every lowest performing group reported."""

KEYS = {
    "indicator_results": ("org_code", "gradespan", "student_group", "indicator"),
    "participation_results": ("org_code", "gradespan", "student_group", "subject"),
}
SOURCES = {
    "sims": ("sims", 0),
    "mcas": ("mcas", 0),
    "access": ("access", 0),
    "course_schedules": ("course_schedules", 0),
    "organisations": ("organisations", 0),
    "sims_prior": ("sims", 1),
    "mcas_prior": ("mcas", 1),
    "access_prior": ("access", 1),
    "dropouts": ("dropouts", 1),
    "graduation_cohorts": ("graduation_cohorts", 1),
}
"""Name in the scripts -> collection, years back."""

COURSES = Path(__file__).resolve().parents[1] / "dbt_project" / "seeds" / "advanced_courses.csv"


def accepted(home: Path, year: int, collection: str) -> list[str]:
    """Accepted Parquet files of a year in force: the newest official snapshot of each part."""
    newest = {}
    for path in sorted((home / "manifest" / str(year) / collection).glob("*.json")):
        row = json.loads(path.read_bytes())
        if row["stage"] == "official":
            newest[row["part"]] = home / "snapshots" / str(year) / collection / path.stem
    return [str(path) for folder in newest.values() for path in sorted(folder.glob("accepted*.parquet"))]


def delivered(landing: Path, year: int, collection: str) -> list[str]:
    """CSV files of a collection as they were delivered."""
    return [str(path) for path in sorted((landing / str(year)).glob(f"{collection}*.csv"))]


def command(doc: str, make: Callable[[dict[str, list[str]], int, Path], None]) -> None:
    """Read the command line, make both tables, and compare them where that was asked for."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--home", type=Path, help="home whose accepted deliveries are read")
    source.add_argument("--raw", type=Path, help="landing folder whose CSV files are read as they are")
    parser.add_argument("--year", type=int, required=True, choices=YEARS)
    parser.add_argument("--out", type=Path, required=True, help="folder for the two Parquet files")
    parser.add_argument("--check", type=Path, metavar="TABLES", help="folder of the tables that a build wrote")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    find, folder = (accepted, given.home) if given.home else (delivered, given.raw)
    files = {name: find(folder, given.year - back, collection) for name, (collection, back) in SOURCES.items()}
    if missing := [name for name, paths in files.items() if not paths]:
        raise SystemExit(f"error: {folder}: no delivery of {', '.join(missing)} for {given.year}")
    make(files, given.year, given.out)
    if given.check:
        found = [is_equal(table, given.out, given.check) for table in KEYS]
        raise SystemExit(not all(found))


def is_equal(table: str, made: Path, built: Path) -> bool:
    """Compare a table cell by cell with what a build wrote, types of the columns included, and print what was found."""
    import duckdb

    con = duckdb.connect()
    for name, folder in (("made", made), ("built", built)):
        con.execute(f"CREATE VIEW {name} AS FROM '{folder / table}.parquet'")
    made_columns, columns = (con.execute(f"DESCRIBE {name}").fetchall() for name in ("made", "built"))
    same = " + ".join(f"(m.{c[0]} IS NOT DISTINCT FROM b.{c[0]})::INT" for c in columns)
    total, equal, only_one = con.execute(
        f"SELECT {len(columns)} * (SELECT count(*) FROM built), sum({same}) FILTER (m.org_code = b.org_code), "
        f"count(*) FILTER (m.org_code IS NULL OR b.org_code IS NULL) "
        f"FROM made AS m FULL JOIN built AS b USING ({', '.join(KEYS[table])})"
    ).fetchall()[0]
    print(f"{table}: {equal:,} of {total:,} cells equal, {only_one} rows in one of the two only")
    if made_columns != columns:
        print(f"{table}: columns or their types differ: {set(made_columns) ^ set(columns)}")
    return bool(equal == total and not only_one and made_columns == columns)
