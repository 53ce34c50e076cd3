"""JSON that people read and compare: a line an entry.

Belongs here: line breaks. Does not: what is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

LINE = 100
"""A list longer than this many characters has a line an item."""


def rendered(found: Mapping[str, Any], depth: int = 2) -> str:
    """JSON of which the first `depth` levels have a line an entry, and a long list a line an item."""
    return "".join(_lines(found, depth)) + "\n"


def _lines(value: Any, depth: int, indent: str = "") -> Iterator[str]:
    text = json.dumps(value, ensure_ascii=False)
    is_long = isinstance(value, list) and len(text) > LINE
    if not value or not (is_long or (depth and isinstance(value, dict))):
        yield text
        return
    opened, closed = ("[", "]") if is_long else ("{", "}")
    entries = [("", item) for item in value] if is_long else [(f"{json.dumps(k)}: ", v) for k, v in value.items()]
    yield opened
    for number, (name, entry) in enumerate(entries):
        yield f"{',' if number else ''}\n{indent} {name}"
        yield from _lines(entry, depth - 1, indent + " ")
    yield f"\n{indent}{closed}"
