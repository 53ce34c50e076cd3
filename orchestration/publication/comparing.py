"""Two releases held against each other: what they were made from, which figures moved, which categories and why.

Belongs here: finding differences. Does not: showing them (`diff_report`), and any rule.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from orchestration.policy import COLUMNS
from orchestration.publication.code import read_code

DIFF_VERSION = 1
TRACE = "determination_trace"
DETERMINATIONS = "determinations"
CATEGORY = ("overall_classification", "reason")
"""Columns of determinations whose change is a change of category."""
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


def compare(old: Side, new: Side) -> dict[str, Any]:
    """Everything that differs, as one JSON-ready object of version `DIFF_VERSION`; see docs/releases.md."""
    with duckdb.connect() as con:
        tables = {name: found for name in _both(old, new) if (found := _table(con, name, old, new))}
        return {
            "diff_version": DIFF_VERSION,
            "from": old.name,
            "to": new.name,
            "inputs": _changes(old.deliveries, new.deliveries, lambda row: row["accepted"], _delivery),
            "policy": _changes(old.policy, new.policy, lambda row: row, lambda row: row[0]),
            "code": _changes(_by_file(old.code), _by_file(new.code), lambda row: row, lambda row: row[:12]),
            "software": {
                name: [old.content["software"].get(name), number]
                for name, number in new.content["software"].items()
                if old.content["software"].get(name) != number
            },
            "tables": tables,
            "categories": _categories(con, old, new) if DETERMINATIONS in tables else [],
        }


def moved_figures(old: Side, new: Side) -> Iterator[tuple[str, str, str, str | None, str | None]]:
    """(table, key, column, old, new) of every cell that differs in a row that both have. The trace is left out."""
    with duckdb.connect() as con:
        for name in _both(old, new):
            if name == TRACE or _same(name, old, new) or _columns(con, name, old) != _columns(con, name, new):
                continue
            key, rest = _split(_columns(con, name, new))
            if not rest or not _is_unique(con, name, old, key) or not _is_unique(con, name, new, key):
                continue
            shown = " || '/' || ".join(f"coalesce(b.{c}::VARCHAR, '')" for c in key)
            pairs = ", ".join(f"a.{c} AS old_{c}, b.{c} AS new_{c}" for c in rest)
            differs = " OR ".join(f"a.{c} IS DISTINCT FROM b.{c}" for c in rest)
            con.execute(  # once for all columns
                f"CREATE OR REPLACE TEMP TABLE moved AS SELECT {shown} AS shown, {pairs} FROM {_read(name, old)} a "
                f"JOIN {_read(name, new)} b ON {_matched(key)} WHERE {differs}"
            )
            for column in rest:
                query = (
                    f"SELECT shown, old_{column}::VARCHAR, new_{column}::VARCHAR FROM moved "
                    f"WHERE old_{column} IS DISTINCT FROM new_{column} ORDER BY 1"
                )
                for where, before, after in con.execute(query).fetchall():
                    yield name, where, column, before, after


def _matched(key: list[str]) -> str:
    """The condition that rows `a` and `b` have the same key."""
    return " AND ".join(f"a.{c} IS NOT DISTINCT FROM b.{c}" for c in key)


def _both(old: Side, new: Side) -> list[str]:
    return list(dict.fromkeys([*new.tables, *old.tables]))


def _by_file(code: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    return {(file,): digest for file, digest in code.items()}


def _delivery(row: Mapping[str, Any]) -> str:
    return f"{row['file']} sha256 {row['sha256'][:12]}, accepted {row['accepted'][:12]}"


def _changes(
    old: Mapping[Any, Any], new: Mapping[Any, Any], identity: Any, shown: Any
) -> dict[str, list[dict[str, str]]]:
    """Added, removed and changed entries, each with its key."""

    def name(key: tuple[str, ...]) -> str:
        return " ".join(part for part in key if part)

    return {
        "added": [{"key": name(k), "to": shown(new[k])} for k in sorted(new.keys() - old.keys())],
        "removed": [{"key": name(k), "from": shown(old[k])} for k in sorted(old.keys() - new.keys())],
        "changed": [
            {"key": name(k), "from": shown(old[k]), "to": shown(new[k])}
            for k in sorted(new.keys() & old.keys())
            if identity(old[k]) != identity(new[k])
        ],
    }


def _same(name: str, old: Side, new: Side) -> bool:
    file = f"{name}.parquet"
    return file in old.content["files"] and old.content["files"].get(file) == new.content["files"].get(file)


def _read(name: str, side: Side) -> str:
    return f"read_parquet('{str(side.folder / name).replace(chr(39), chr(39) * 2)}.parquet')"


def _columns(con: duckdb.DuckDBPyConnection, name: str, side: Side) -> list[str]:
    if name not in side.tables:
        return []
    return [row[0] for row in con.execute(f"DESCRIBE SELECT * FROM {_read(name, side)}").fetchall()]


def _split(columns: list[str]) -> tuple[list[str], list[str]]:
    """Key columns and the others."""
    alone = next((name for name in KEYS if name in columns), None)
    key = [alone] if alone else [name for name in columns if name in KEY_PARTS]
    return key, [name for name in columns if name not in key]


def _is_unique(con: duckdb.DuckDBPyConnection, name: str, side: Side, key: list[str]) -> bool:
    if not key:
        return False
    query = f"SELECT count(*) = count(DISTINCT ({', '.join(key)},)) FROM {_read(name, side)}"
    return bool(con.execute(query).fetchall()[0][0])


def _table(con: duckdb.DuckDBPyConnection, name: str, old: Side, new: Side) -> dict[str, Any] | None:
    """Counts of what differs in one table; None if nothing does. Without a unique key rows are only added or gone."""
    if _same(name, old, new):
        return None
    before, after = _columns(con, name, old), _columns(con, name, new)
    rows = [old.content["rows"].get(name), new.content["rows"].get(name)]
    if before != after:
        return {
            "rows": rows,
            "columns_added": sorted({*after} - {*before}),
            "columns_removed": sorted({*before} - {*after}),
        }
    key, rest = _split(after)
    a, b = _read(name, old), _read(name, new)
    changed: dict[str, int] = {}
    if _is_unique(con, name, old, key) and _is_unique(con, name, new, key):
        sums = "".join(f", count(*) FILTER (a.{c} IS DISTINCT FROM b.{c})" for c in rest)
        both, *counts = con.execute(f"SELECT count(*){sums} FROM {a} a JOIN {b} b ON {_matched(key)}").fetchall()[0]
        changed = {c: n for c, n in zip(rest, counts, strict=True) if n}
        gone, come = (con.execute(f"SELECT count(*) FROM {x}").fetchall()[0][0] - both for x in (a, b))
    else:
        by = ", ".join(after)
        gone, come = (
            con.execute(f"SELECT count(*) FROM (SELECT {by} FROM {x} EXCEPT ALL SELECT {by} FROM {y})").fetchall()[0][0]
            for x, y in ((a, b), (b, a))
        )
    if not gone and not come and not changed:
        return None
    return {"rows": rows, "added": come, "removed": gone, "changed": changed}


def _categories(con: duckdb.DuckDBPyConnection, old: Side, new: Side) -> list[dict[str, Any]]:
    """Organisations whose category or reason changed, came or went, with the steps of the trace where it began."""
    names = ", ".join(CATEGORY)
    found = []
    sides = [
        {row[0]: row[1:] for row in con.execute(f"SELECT org_code, {names} FROM {_read(DETERMINATIONS, s)}").fetchall()}
        for s in (old, new)
    ]
    changed = [org for org in sorted({*sides[0], *sides[1]}) if sides[0].get(org) != sides[1].get(org)]
    steps = _changed_steps(con, old, new) if changed and TRACE in old.tables and TRACE in new.tables else {}
    key = dict(con.execute(f"SELECT org_code, trace_key FROM {_read(DETERMINATIONS, new)}").fetchall())
    for org in changed:
        found.append(
            {
                "org_code": org,
                "from": _words(sides[0].get(org)),
                "to": _words(sides[1].get(org)),
                "began_at": [_told(steps[root]) for root in _roots(key.get(org), steps)],
            }
        )
    return found


def _words(row: tuple[str | None, ...] | None) -> dict[str, str | None] | None:
    return dict(zip(CATEGORY, row, strict=True)) if row else None


def _changed_steps(con: duckdb.DuckDBPyConnection, old: Side, new: Side) -> dict[str, dict[str, Any]]:
    """Key to both versions of every step that is not the same in both releases."""
    columns = ("inputs", "parameters", "outcome", "status")
    differs = " OR ".join(f"a.{c} IS DISTINCT FROM b.{c}" for c in columns)
    shown = ", ".join(f"a.{c}, b.{c}" for c in columns)
    query = (
        f"SELECT coalesce(b.key, a.key), coalesce(b.upstream, a.upstream), {shown} "
        f"FROM {_read(TRACE, old)} a FULL JOIN {_read(TRACE, new)} b USING (key) WHERE {differs}"
    )
    return {
        row[0]: {"key": row[0], "upstream": json.loads(row[1])}
        | {c: row[2 + 2 * n : 4 + 2 * n] for n, c in enumerate(columns)}
        for row in con.execute(query).fetchall()
    }


def _roots(key: str | None, steps: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Changed steps above `key` of which no upstream step changed: where the difference began, in reading order."""
    roots: list[str] = []
    seen: set[str] = set()
    waiting = [key] if key in steps else []
    while waiting:
        at = waiting.pop()
        if at is None or at in seen:
            continue
        seen.add(at)
        above = [up for up in steps[at]["upstream"] if up in steps]
        waiting += above
        if not above:
            roots.append(at)
    return sorted(roots)


def _told(step: Mapping[str, Any]) -> dict[str, Any]:
    """One step with the entries of its inputs, parameters and outcome that differ: [old, new] each."""
    told: dict[str, Any] = {"key": step["key"]}
    for part in ("inputs", "outcome"):
        before, after = (json.loads(text) if text else {} for text in step[part])
        told[part] = {
            k: [before.get(k), after.get(k)] for k in sorted({*before, *after}) if before.get(k) != after.get(k)
        }
    before, after = ({_parameter(row) for row in json.loads(text or "[]")} for text in step["parameters"])
    if before != after:
        told["parameters"] = [sorted(before - after), sorted(after - before)]
    return told


def _parameter(row: Mapping[str, str]) -> str:
    return f"{row['policy_year']} {row['rule_id']} {row['parameter']} = {row['value']}"


def is_empty(difference: Mapping[str, Any]) -> bool:
    """Whether the releases differ in nothing."""
    parts: Iterable[Any] = (
        *difference["inputs"].values(),
        *difference["policy"].values(),
        *difference["code"].values(),
    )
    return not any([*parts, difference["software"], difference["tables"]])
