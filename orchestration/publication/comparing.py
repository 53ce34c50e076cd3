"""Two releases held against each other: what they were made from, which figures moved, which categories and why.

Belongs here: finding differences. Does not: reading both (`pairing`), showing them (`diff_report`), and any rule.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from orchestration.publication.pairing import Pair

DIFF_VERSION = 1
TRACE = "determination_trace"
DETERMINATIONS = "determinations"
AT_A_TIME = 2
"""Tables that are compared at a time."""
CATEGORY = ("overall_classification", "reason")
"""Columns of determinations whose change is a change of category."""


def compare(pair: Pair) -> dict[str, Any]:
    """Everything that differs, as one JSON-ready object of version `DIFF_VERSION`; see docs/releases.md."""
    old, new = pair.old, pair.new
    largest_first = sorted(pair.tables, key=lambda name: new.content["rows"].get(name, 0), reverse=True)
    with ThreadPoolExecutor(AT_A_TIME) as aside:  # rows side by side are read by one thread of DuckDB's
        found = dict(zip(largest_first, aside.map(lambda name: _table(pair, name), largest_first), strict=True))
    tables = {name: difference for name in pair.tables if (difference := found[name])}
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
        "categories": _categories(pair) if DETERMINATIONS in tables else [],
    }


def moved_figures(pair: Pair) -> Iterator[tuple[str, str, str, str | None, str | None]]:
    """(table, key, column, old, new) of every cell that differs in a row that both have. The trace is left out."""
    for name in pair.tables:
        before, after = pair.columns(name)
        if name == TRACE or pair.same_bytes(name) or before != after or not (rest := pair.rest(name)):
            continue
        if not (together := pair.together(name)):
            continue
        shown = " || '/' || ".join(f"coalesce(b.{c}::VARCHAR, '')" for c in pair.key(name))
        cells = ", ".join(f"a.{c} AS old_{c}, b.{c} AS new_{c}" for c in rest)
        differs = " OR ".join(f"a.{c} IS DISTINCT FROM b.{c}" for c in rest)
        pair.rows(  # once for all columns
            f"CREATE OR REPLACE TABLE moved AS SELECT {shown} AS shown, {cells} FROM {together} WHERE {differs}"
        )
        for column in rest:
            query = (
                f"SELECT shown, old_{column}::VARCHAR, new_{column}::VARCHAR FROM moved "
                f"WHERE old_{column} IS DISTINCT FROM new_{column} ORDER BY 1"
            )
            for where, cell_before, cell_after in pair.rows(query):
                yield name, where, column, cell_before, cell_after


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


def _table(pair: Pair, name: str) -> dict[str, Any] | None:
    """Counts of what differs in one table; None if nothing does. Without a unique key rows are only added or gone."""
    if pair.same_bytes(name):
        return None
    before, after = pair.columns(name)
    rows = [pair.old.content["rows"].get(name), pair.new.content["rows"].get(name)]
    if before != after:
        return {
            "rows": rows,
            "columns_added": sorted({*after} - {*before}),
            "columns_removed": sorted({*before} - {*after}),
        }
    a, b = pair.old.read(name), pair.new.read(name)
    changed: dict[str, int] = {}
    if together := pair.together(name):
        rest = pair.rest(name)
        sums = "".join(f", count(*) FILTER (a.{c} IS DISTINCT FROM b.{c})" for c in rest)
        [(both, *counts)] = pair.rows(f"SELECT count(*){sums} FROM {together}")
        changed = {c: n for c, n in zip(rest, counts, strict=True) if n}
        gone, come = (pair.number(f"SELECT count(*) FROM {x}") - both for x in (a, b))
    else:
        by = ", ".join(after)
        gone, come = (
            pair.number(f"SELECT count(*) FROM (SELECT {by} FROM {x} EXCEPT ALL SELECT {by} FROM {y})")
            for x, y in ((a, b), (b, a))
        )
    if not gone and not come and not changed:
        return None
    return {"rows": rows, "added": come, "removed": gone, "changed": changed}


def _categories(pair: Pair) -> list[dict[str, Any]]:
    """Organisations whose category or reason changed, came or went, with the steps of the trace where it began."""
    names = ", ".join(CATEGORY)
    found = []
    sides = [
        {row[0]: row[1:] for row in pair.rows(f"SELECT org_code, {names} FROM {side.read(DETERMINATIONS)}")}
        for side in (pair.old, pair.new)
    ]
    changed = [org for org in sorted({*sides[0], *sides[1]}) if sides[0].get(org) != sides[1].get(org)]
    steps = _changed_steps(pair) if changed and all(TRACE in side.tables for side in (pair.old, pair.new)) else {}
    key = dict(pair.rows(f"SELECT org_code, trace_key FROM {pair.new.read(DETERMINATIONS)}"))
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


def _changed_steps(pair: Pair) -> dict[str, dict[str, Any]]:
    """Key to both versions of every step that is not the same in both releases."""
    columns = ("inputs", "parameters", "outcome", "status")
    differs = " OR ".join(f"a.{c} IS DISTINCT FROM b.{c}" for c in columns)
    shown = ", ".join(f"a.{c}, b.{c}" for c in columns)
    query = (
        f"SELECT coalesce(b.key, a.key), coalesce(b.upstream, a.upstream), {shown} "
        f"FROM {pair.old.read(TRACE)} a FULL JOIN {pair.new.read(TRACE)} b USING (key) WHERE {differs}"
    )
    return {
        row[0]: {"key": row[0], "upstream": json.loads(row[1])}
        | {c: row[2 + 2 * n : 4 + 2 * n] for n, c in enumerate(columns)}
        for row in pair.rows(query)
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
