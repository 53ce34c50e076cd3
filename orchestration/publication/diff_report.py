"""Showing what differs between two releases: as lines of text and as a workbook.

Belongs here: form. Does not: finding differences (`comparing`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from orchestration.publication.comparing import compare, is_empty, moved_figures
from orchestration.publication.pairing import Pair
from orchestration.workbooks import write_workbook

MADE_FROM = ("inputs", "policy", "code")
SHOWN = 12
"""Lines of one kind in the text; the workbook has all."""
FIGURES = ("table", "key", "column", "from", "to")


def text(difference: Mapping[str, Any]) -> Iterator[str]:
    """The difference as lines: made from, figures, categories with the steps where each change began."""
    yield f"{difference['from']} → {difference['to']}"
    if is_empty(difference):
        yield "no difference"
        return
    for part in MADE_FROM:
        found = list(_entries(difference[part]))
        yield f"{part}: {len(found)} differ" if found else f"{part}: the same"
        yield from _first(f"  {kind} {key}: {_arrow(old, new)}" for kind, key, old, new in found)
    for name, (old, new) in difference["software"].items():
        yield f"software: {name} {old} → {new}"
    yield f"tables: {len(difference['tables'])} differ"
    for name, found in difference["tables"].items():
        yield f"  {name}: {_counts(found)}"
    yield f"categories: {len(difference['categories'])} changed"
    yield from _first(line for change in difference["categories"] for line in _category(change))


def write_diff(path: Path, pair: Pair) -> None:
    """The difference as a workbook: summary, what was made from, categories, every figure that moved."""
    difference = compare(pair)
    write_workbook(
        path,
        {
            "summary": (("line",), ((line,) for line in text(difference))),
            "made from": (
                ("part", "kind", "key", "from", "to"),
                ((part, *entry) for part in MADE_FROM for entry in _entries(difference[part])),
            ),
            "categories": (
                ("org_code", "from", "to", "began at", "what differs"),
                (
                    (c["org_code"], _word(c["from"]), _word(c["to"]), step["key"], _differs(step))
                    for c in difference["categories"]
                    for step in c["began_at"] or [{"key": ""}]
                ),
            ),
            "figures": (FIGURES, moved_figures(pair)),
        },
    )


def _entries(part: Mapping[str, list[dict[str, str]]]) -> Iterator[tuple[str, str, str, str]]:
    for kind, entries in part.items():
        for entry in entries:
            yield kind, entry["key"], entry.get("from", ""), entry.get("to", "")


def _first(lines: Iterable[str]) -> Iterator[str]:
    there = list(lines)
    yield from there[:SHOWN]
    if len(there) > SHOWN:
        yield f"  … and {len(there) - SHOWN} more lines"


def _arrow(old: str, new: str) -> str:
    return f"{old} → {new}" if old and new else old or new


def _counts(found: Mapping[str, Any]) -> str:
    if "columns_added" in found:
        return f"other columns: added {found['columns_added']}, removed {found['columns_removed']}"
    changed = ", ".join(f"{name} in {count} rows" for name, count in found["changed"].items())
    return f"{found['added']} rows added, {found['removed']} removed" + (f"; {changed}" if changed else "")


def _word(words: Mapping[str, str | None] | None) -> str:
    return " / ".join(word or "none" for word in words.values()) if words else "not there"


def _category(change: Mapping[str, Any]) -> Iterator[str]:
    yield f"  {change['org_code']}: {_word(change['from'])} → {_word(change['to'])}"
    for step in change["began_at"]:
        yield f"    began at {step['key']}: {_differs(step)}"


def _differs(step: Mapping[str, Any]) -> str:
    parts = []
    for part in ("inputs", "outcome"):
        parts += [f"{name} {_plain(old)} → {_plain(new)}" for name, (old, new) in step.get(part, {}).items()]
    for gone, come in [step["parameters"]] if "parameters" in step else []:
        parts.append(f"policy {'; '.join(gone) or 'none'} → {'; '.join(come) or 'none'}")
    return ", ".join(parts)


def _plain(value: Any) -> str:
    return "none" if value is None else str(value)
