"""A student counts once in All Students, a group never exceeds it; one who moves changes only what must change."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration import synthetic
from tests.support.rebuilt import Models, kept_build, rows_by_key
from tests.support.workshop import Workshop

YEAR = 2025
STATE = "00000000"
OWN_YEAR = ("stg_sims", "stg_mcas", "stg_access", "stg_course_schedules")
"""Staging tables of the year in which a student has a school."""
STUDENTS = (
    "int_chronic_absenteeism", "int_el_progress", "int_advanced_coursework", "int_annual_dropout",
    "int_four_year_graduation", "int_extended_engagement",
)  # fmt: skip
"""Models that hold one row for a student and organisation, and whether the student meets the indicator."""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    folder = tmp_path_factory.mktemp("properties")
    shop = Workshop(folder)
    synthetic.generate(shop.settings.landing, students=2_500, years=[YEAR - 1, YEAR], seed=6, contracts=shop.contracts)
    for year in (YEAR - 1, YEAR):
        for collection in [n for n, c in shop.contracts.items() if c.source == "student"]:
            assert shop.take_in(collection, year).refusals == ()
    with pytest.MonkeyPatch.context() as patch:
        yield kept_build(shop, YEAR, folder / "kept", patch)


@pytest.fixture(scope="module")
def built(models: Models) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(models.database), read_only=True) as con:
        yield con


def test_running_the_models_again_over_the_same_rows_gives_the_same_tables(
    models: Models, built: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    with models.run(lambda con: None, tmp_path) as again:
        assert rows_by_key(again) == rows_by_key(built)


@pytest.mark.parametrize("model", STUDENTS)
def test_a_student_counts_once_at_an_organisation(built: duckdb.DuckDBPyConnection, model: str) -> None:
    counted, students = built.execute(
        f"SELECT count(*), count(DISTINCT (org_code, gradespan, sasid)) FROM {model}"
    ).fetchall()[0]
    assert counted == students > 0


def test_a_student_is_in_all_students_once(built: duckdb.DuckDBPyConnection) -> None:
    students, rows = built.execute(
        "SELECT count(DISTINCT sasid), count(*) FROM int_student_groups WHERE student_group = 'all_students'"
    ).fetchall()[0]
    assert students == rows > 2_000
    twice = "SELECT sasid, student_group FROM int_student_groups GROUP BY ALL HAVING count(*) > 1"
    assert built.execute(twice).fetchall() == []


OUTGROWN = """
    SELECT g.org_code, g.student_group, g.indicator FROM indicator_results AS g
    JOIN indicator_results AS a USING (org_code, gradespan, indicator)
    WHERE a.student_group = 'all_students' AND g.student_group <> 'all_students'
    AND (g.denominator > a.denominator OR g.measure = 'percent' AND g.numerator > a.numerator)
"""


def test_no_group_is_larger_than_all_students(built: duckdb.DuckDBPyConnection) -> None:
    assert built.execute(OUTGROWN).fetchall() == []


def test_a_student_counted_twice_in_a_group_would_be_seen(models: Models, tmp_path: Path) -> None:
    """The check above can fail: a doubled row of the bridge makes a group outgrow All Students."""
    sql = dict(models.sql)
    bridge = f"SELECT * FROM ({sql['int_profile_groups']})"
    models.sql["int_profile_groups"] = f"{bridge} UNION ALL {bridge} WHERE student_group <> 'all_students'"
    try:
        with models.run(lambda con: None, tmp_path) as con:
            assert con.execute(OUTGROWN).fetchall()
    finally:
        models.sql = sql


OVER_SCHOOLS = """
    SELECT indicator, gradespan, sum(numerator), sum(denominator), sum(n) FROM indicator_results
    WHERE org_type = 'school' AND student_group = 'all_students' GROUP BY ALL ORDER BY ALL
"""
"""A student who moves is taken off one school and added to another, with the same figures."""


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(which=st.integers(0, 10_000), where=st.integers(0, 10_000))
def test_a_student_who_moves_changes_only_the_two_schools_and_their_districts(
    models: Models, built: duckdb.DuckDBPyConnection, which: int, where: int
) -> None:
    """All of a student's rows of the year at another school. The state counts the same students as before.

    The student is one who counts for absenteeism: a younger one, or one of a few days, may count for nothing.
    Rows of the year before stay: dropout counts where that year's October was, two-year participation keeps its half.
    """
    sasid, home, grade = pick(
        built.execute(
            "SELECT DISTINCT sasid, school_code, grade FROM stg_sims WHERE sasid IN "
            "(SELECT sasid FROM stg_sims GROUP BY sasid HAVING count(DISTINCT school_code) = 1) "
            "AND sasid IN (SELECT sasid FROM int_chronic_absenteeism) ORDER BY ALL"
        ).fetchall(),
        which,
    )
    [target] = pick(
        built.execute(
            "SELECT DISTINCT school_code FROM stg_sims "
            "WHERE grade = ? AND substr(school_code, 1, 4) <> substr(?, 1, 4) ORDER BY ALL",
            [grade, home],
        ).fetchall(),
        where,
    )
    before, sums = rows_by_key(built), built.execute(OVER_SCHOOLS).fetchall()

    def move(con: duckdb.DuckDBPyConnection) -> None:
        for table in OWN_YEAR:
            columns = {row[0] for row in con.execute(f"DESCRIBE {table}").fetchall()}
            places = "school_code = ?" + (f", district_code = '{target[:4]}0000'" if "district_code" in columns else "")
            con.execute(f"UPDATE {table} SET {places} WHERE sasid = ?", [target, sasid])

    with tempfile.TemporaryDirectory() as work, models.run(move, Path(work)) as con:
        after, sums_after = rows_by_key(con), con.execute(OVER_SCHOOLS).fetchall()
    changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    touched = {home, target, f"{home[:4]}0000", f"{target[:4]}0000"}
    assert {key[0] for key in changed} <= touched
    assert STATE not in touched
    assert sums_after == sums
    assert {key[0] for key in changed} & {home, target}, "a student who moves is counted elsewhere"


def pick(rows: list[tuple[str, ...]], number: int) -> tuple[str, ...]:
    """One of the rows, for any number."""
    return rows[number % len(rows)]
