"""What lineage.yml says of the determinations' columns, by experiment: what moves with a column is made from it.

That everything that is read is declared somewhere is held by test_determination_build.py; here a declaration that
stands at the wrong column is found.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from orchestration.determinations.rendering import TABLES
from orchestration.lineage.columns import column_lineage
from orchestration.tables import folder_of
from tests.support.determination_home import SOURCE, YEAR, built, change, make_home

Column = tuple[str, str]
KEYS = {
    "indicator_targets": ("org_code", "gradespan", "student_group", "indicator"),
    "determinations": ("org_code",),
    "federal_designations": ("org_code",),
    "determination_trace": ("key",),
}
"""Table to the columns that name a row; the others have the key of their step."""
MOVED = {
    ("indicator_results", "value"): "CASE WHEN value BETWEEN 6 AND 90 THEN value - 5 ELSE value END",
    ("indicator_results", "n"): "n // 2",
    ("indicator_results", "status"): "CASE WHEN student_group = 'all_students' THEN 'n_too_small' ELSE status END",
    ("participation_results", "tested"): "tested * 9 // 10",
    ("participation_results", "two_year_should_test"): "two_year_should_test * 2",
    ("organisations", "org_name"): "org_name || ' School'",
    ("organisations", "enrolment_high"): "enrolment_high * 3",
    ("organisations", "title_i"): "CASE WHEN title_i IS NULL THEN NULL ELSE min(title_i) OVER () END",
    ("organisations", "highest_grade"): "CASE WHEN highest_grade < '09' THEN '12' ELSE highest_grade END",
    ("recognitions", "school_year"): "school_year - 1",
}
"""Column to what every row has there instead."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = make_home(tmp_path_factory.mktemp("made") / "home")
    assert built(home).is_new
    return home


def _rows(home: Path, table: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    rows = pq.read_table(folder_of(home, "determinations", SOURCE, YEAR) / f"{table}.parquet").to_pylist()
    return {tuple(row[name] for name in KEYS.get(table, ("trace_key",))): row for row in rows}


def _behind(column: Column, lineage: dict[str, dict[str, Any]]) -> set[Column]:
    """Columns of the tables read that a column is made from, through the tables of the room."""
    found: set[Column] = set()
    waiting, seen = [column], set[Column]()
    while waiting:
        table, name = waiting.pop()
        for above in map(tuple, lineage[table][name]):
            if above[0] not in TABLES:
                found.add(above)
            elif above not in seen:
                seen.add(above)
                waiting.append(above)
    return found


@pytest.mark.parametrize("column", MOVED, ids=".".join)
def test_what_moves_with_a_column_is_made_from_it(made: Path, tmp_path: Path, column: Column) -> None:
    home = Path(shutil.copytree(made, tmp_path / "home", symlinks=True))
    change(home, column[0], f"SELECT * REPLACE ({MOVED[column]} AS {column[1]}) FROM t")
    assert built(home).is_new
    moved: set[Column] = set()
    for table in TABLES:
        before, after = _rows(made, table), _rows(home, table)
        for key in before.keys() & after.keys():
            moved |= {(table, name) for name, value in before[key].items() if value != after[key][name]}
    assert moved, "nothing follows from it: another change is needed"
    lineage = column_lineage(SOURCE)
    # which steps an organisation has, and so the number of each, follows from everything that leads to a step
    loose = {("determination_trace", "step"), ("determination_trace", "parameters")}
    assert {place for place in moved - loose if column not in _behind(place, lineage)} == set()
