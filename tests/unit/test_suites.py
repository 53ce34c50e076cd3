"""Suites and frames are checked when they are read, and what they refer to is there in every year."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orchestration.errors import InputError
from orchestration.validation.frames import PRIOR, load_frames
from orchestration.validation.gates import EXPECTATIONS, ROOMS
from orchestration.validation.suites import STRUCTURE, known_types, load_suite, resolved
from tests.support.determinations import REGISTER, YEARS

FRAMES = load_frames(EXPECTATIONS)
TABLES = sorted({table for of_room in ROOMS.values() for tables in of_room.values() for table in tables})


def test_every_suite_belongs_to_a_room_and_every_frame_to_a_suite() -> None:
    assert {file.stem for file in EXPECTATIONS.glob("*.yml")} == set(TABLES)
    suites = [load_suite(EXPECTATIONS / f"{table}.yml", FRAMES) for table in TABLES]
    assert {e.frame for suite in suites for e in suite.expectations} - {None, STRUCTURE} == set(FRAMES)


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("table", TABLES)
def test_every_policy_row_that_a_suite_or_a_frame_refers_to_is_there(table: str, year: int) -> None:
    suite = load_suite(EXPECTATIONS / f"{table}.yml", FRAMES)
    used = {FRAMES[e.frame] for e in suite.expectations if e.frame in FRAMES}
    for frame in used:
        assert "{{" not in frame.sql(REGISTER, year)
    for expectation in suite.expectations:
        kwargs = resolved(expectation, suite, REGISTER, year)
        assert not any(isinstance(value, dict) for value in kwargs.values())


@pytest.mark.parametrize("table", TABLES)
def test_bounds_are_policy_rows(table: str) -> None:
    """A number in a suite is 0, 1 or 100, which no policy decides; everything else comes from the register."""
    for expectation in load_suite(EXPECTATIONS / f"{table}.yml", FRAMES).expectations:
        for name in ("min_value", "max_value"):
            bound = expectation.kwargs.get(name)
            assert bound is None or isinstance(bound, dict) or bound in (0, 1, 100), (
                f"{expectation.name}: {name} {bound}"
            )


def test_tables_that_a_frame_reads_are_named_in_its_header() -> None:
    known = {*TABLES, "policy_rows"}
    for frame in FRAMES.values():
        words = set(frame.query.replace("(", " ").replace(")", " ").replace(",", " ").split())
        named = {w.removeprefix(PRIOR) for w in words if w.removeprefix(PRIOR) in known} - {"policy_rows"}
        read = {table.removeprefix(PRIOR) for table in frame.reads}
        assert read <= named | set(TABLES), f"{frame.file}: reads what no suite is about"
        assert {w for w in words if w.startswith(PRIOR) and w.removeprefix(PRIOR) in known} == set(frame.prior), (
            frame.file
        )


GOOD = """table: some_table
about: A table.
key: [org_code]
expectations:
  - name: one
    type: expect_column_values_to_not_be_null
    kwargs: {column: org_code}
    severity: critical
    rule: a rule
    owner: somebody
    says: There is a code.
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("expect_column_values_to_not_be_null", "expect_the_best", "type 'expect_the_best' is not an expectation"),
        ("    says: There is a code.\n", "", "'says' is missing"),
        ("    owner: somebody\n", "", "'owner' is missing"),
        ("    rule: a rule\n", "", "'rule' is missing"),
        ("severity: critical", "severity: grave", "severity 'grave' is neither critical nor warning"),
        ("    kwargs:", "    frame: nowhere\n    kwargs:", "there is no frame 'nowhere'"),
        ("    kwargs:", "    mostly: 0.9\n    kwargs:", "unknown mostly"),
        ("table: some_table", "table: another", "must be named like the file"),
        ("key: [org_code]\n", "", "'key' is missing"),
        (GOOD[GOOD.index("expectations") :], "expectations: []\n", "has no expectation"),
        ("says: There is a code.", "says: There is: a code.", "not valid YAML, line 11"),
        (GOOD, "- one\n", "a suite has"),
    ],
)
def test_a_suite_out_of_order_is_named_with_its_entry(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = tmp_path / "some_table.yml"
    file.write_text(GOOD)
    assert load_suite(file, {}).expectations[0].name == "one"
    file.write_text(GOOD.replace(old, new))
    with pytest.raises(InputError) as error:
        load_suite(file, {})
    assert str(error.value).startswith(f"{file}: ")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_two_expectations_of_one_name(tmp_path: Path) -> None:
    file = tmp_path / "some_table.yml"
    file.write_text(GOOD + GOOD[GOOD.index("  - name") :])
    with pytest.raises(InputError, match="two expectations are named one"):
        load_suite(file, {})


def test_a_policy_row_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = tmp_path / "some_table.yml"
    file.write_text(GOOD.replace("{column: org_code}", "{column: {policy: [gate_bounds, no_such_bound]}}"))
    suite = load_suite(file, {})
    with pytest.raises(
        InputError, match=r"some_table.yml: one: policy: no row for year 2025, rule gate_bounds, .*no_such"
    ):
        resolved(suite.expectations[0], suite, REGISTER, 2025)


def test_references_to_policy(tmp_path: Path) -> None:
    file = tmp_path / "some_table.yml"
    references = "{a: {policy: [minimum_n, students]}, b: {words: [gate_identity, high_needs_groups]}, "
    references += "c: [{values: federal_word}, other], d: {parameters: rating_target}, e: [{year: 0}, {year: -1}]}"
    file.write_text(GOOD.replace("{column: org_code}", references))
    suite = load_suite(file, {})
    found = resolved(suite.expectations[0], suite, REGISTER, 2025)
    assert found["a"] == 20
    assert found["b"] == ["low_income", "el_and_former_el", "students_with_disabilities"]
    assert found["c"][-2:] == ["-", "other"]
    assert found["d"] == ["0", "1", "2", "3", "4"]
    assert found["e"] == [2025, 2024]


def test_the_types_known_without_an_import_are_those_of_the_library() -> None:
    assert {"expect_column_values_to_be_between", "expect_compound_columns_to_be_unique"} <= known_types()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("-- about: a\n-- key: b\nSELECT 1\n", "no line '-- reads: …'"),
        ("-- about: a\n-- key: b\n-- reads: c\n-- colour: d\nSELECT 1\n", "line 4: 'colour' is not one of"),
        ("-- about: a\n-- key: b\n-- reads: c\n", "no query below the header"),
    ],
)
def test_a_frame_out_of_order_is_named(tmp_path: Path, text: str, said: str) -> None:
    shutil.copytree(EXPECTATIONS / "frames", tmp_path / "frames")
    (tmp_path / "frames" / "bad.sql").write_text(text)
    with pytest.raises(InputError, match=r"bad\.sql: ") as error:
        load_frames(tmp_path)
    assert said in str(error.value)
