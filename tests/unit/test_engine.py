"""Where DuckDB may put what does not fit into memory: nowhere but where it is told."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from orchestration.engine import connect
from orchestration.settings import PROJECT

MUCH = "SELECT count(*) FROM (SELECT * FROM range(3_000_000) AS t (i) ORDER BY hash(i), i OFFSET 10)"
"""Sorts more than fits into LITTLE."""
LITTLE = "40MB"


def test_what_does_not_fit_goes_into_the_folder_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    spill = tmp_path / "home" / "spill"
    spill.parent.mkdir()
    with connect(spill, memory_limit=LITTLE, threads=1) as con:
        assert con.execute(MUCH).fetchall() == [(2_999_990,)]
        assert spill.is_dir(), "it did not fit"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]


def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with connect(memory_limit=LITTLE, threads=1) as con, pytest.raises(duckdb.OutOfMemoryException):
        con.execute(MUCH)
    assert list(tmp_path.iterdir()) == []


def test_no_other_connection_is_made_in_memory() -> None:
    """A database in a file puts it beside that file, in the home."""
    opened = re.compile(r"duckdb\.connect\((?!str\()")
    files = sorted((PROJECT / "orchestration").rglob("*.py"))
    assert [path.name for path in files if opened.search(path.read_text(encoding="utf-8"))] == ["engine.py"]
