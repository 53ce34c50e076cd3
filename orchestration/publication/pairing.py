"""Two releases side by side: their tables, and which row of the one is which of the other.

Belongs here: reading both. Does not: what differs (`comparing`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from orchestration.engine import connect
from orchestration.policy import COLUMNS
from orchestration.publication.code import read_code
from orchestration.releases import Release

KEYS = ("trace_key", "key")
"""A column that is the key of its table by itself."""
KEY_PARTS = (
    "school_year",
    "org_code",
    "gradespan",
    "student_group",
    "indicator",
    "subject",
    "district_code",
    "staff_id",
)


@dataclass(frozen=True)
class Side:
    """One of two releases: a folder with tables, `policy.csv` and `code.csv`, and the content of its manifest."""

    name: str
    folder: Path
    content: Mapping[str, Any]

    @property
    def tables(self) -> list[str]:
        return list(self.content["rows"])

    def read(self, table: str) -> str:
        """The rows of a table, in SQL."""
        return f"read_parquet('{str(self.folder / table).replace(chr(39), chr(39) * 2)}.parquet')"

    @cached_property
    def policy(self) -> dict[tuple[str, ...], tuple[str, ...]]:
        """(year, rule, parameter) to value, unit, citation and status."""
        with (self.folder / "policy.csv").open(newline="", encoding="utf-8") as file:
            rows = [tuple(row[name] for name in COLUMNS) for row in csv.DictReader(file)]
        return {row[:3]: row[3:] for row in rows}

    @cached_property
    def code(self) -> dict[str, str]:
        """File to its digest."""
        return read_code(self.folder)

    @cached_property
    def deliveries(self) -> dict[tuple[str, ...], Mapping[str, Any]]:
        """(year, collection, part, stage) to the delivery that was read."""
        return {
            tuple(str(row[k]) for k in ("year", "collection", "part", "stage")): row for row in self.content["inputs"]
        }


class Pair:
    """An old and a new release, and a connection that reads their tables as `a` and `b`."""

    def __init__(self, con: duckdb.DuckDBPyConnection, old: Side, new: Side):
        self._con, self.old, self.new = con, old, new
        self._columns: dict[str, tuple[list[str], list[str]]] = {}
        self._together: dict[str, str | None] = {}

    @property
    def tables(self) -> list[str]:
        return list(dict.fromkeys([*self.new.tables, *self.old.tables]))

    def same_bytes(self, table: str) -> bool:
        """Whether the table's file is the same in both."""
        file, olds = f"{table}.parquet", self.old.content["files"]
        return file in olds and olds[file] == self.new.content["files"].get(file)

    def columns(self, table: str) -> tuple[list[str], list[str]]:
        """The table's columns in the old and in the new release; none where it is not there."""
        if table not in self._columns:
            self._columns[table] = self._described(table, self.old), self._described(table, self.new)
        return self._columns[table]

    def _described(self, table: str, side: Side) -> list[str]:
        if table not in side.tables:
            return []
        return [row[0] for row in self.rows(f"DESCRIBE SELECT * FROM {side.read(table)}")]

    def key(self, table: str) -> list[str]:
        """Columns that tell its rows apart."""
        columns = self.columns(table)[1]
        alone = next((name for name in KEYS if name in columns), None)
        return [alone] if alone else [name for name in columns if name in KEY_PARTS]

    def rest(self, table: str) -> list[str]:
        """Its other columns."""
        key = self.key(table)
        return [name for name in self.columns(table)[1] if name not in key]

    def together(self, table: str) -> str | None:
        """What to select from to have each row `a` beside the row `b` of the same key; None without a unique key."""
        if table not in self._together:
            self._together[table] = self._joined(table)
        return self._together[table]

    def _joined(self, table: str) -> str | None:
        key, a, b = self.key(table), self.old.read(table), self.new.read(table)
        if not key or not self._is_unique(b, key):
            return None
        same = " AND ".join(f"a.{c} IS NOT DISTINCT FROM b.{c}" for c in key)
        keys = ", ".join(key)
        if self.old.content["rows"][table] == self.new.content["rows"][table]:
            by_place = f"(SELECT {keys} FROM {a}) a POSITIONAL JOIN (SELECT {keys} FROM {b}) b"
            if not self.number(f"SELECT count(*) FROM {by_place} WHERE NOT ({same})"):
                return f"{a} a POSITIONAL JOIN {b} b"  # nobody came or went, and rows are in order: half the work
        return f"{a} a JOIN {b} b ON {same}" if self._is_unique(a, key) else None

    def _is_unique(self, rows: str, key: list[str]) -> bool:
        return bool(self.number(f"SELECT count(*) = count(DISTINCT ({', '.join(key)},)) FROM {rows}"))

    def number(self, query: str) -> int:
        """The one number that a query gives."""
        return int(self.rows(query)[0][0])

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query gives. Several may be asked at a time."""
        return self._con.cursor().execute(query).fetchall()


def side_of(release: Release) -> Side:
    """A complete release as one side of a comparison."""
    return Side(f"{release.year}/{release.name}", release.folder, release.manifest)


@contextmanager
def side_by_side(old: Side, new: Side) -> Iterator[Pair]:
    """Both releases, as long as the block runs."""
    with connect() as con:
        yield Pair(con, old, new)
