"""How the words and figures of a release are spelled in an explanation.

Belongs here: a word, a figure, a list. Does not: sentences (`sentences`, `thresholds`).
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

Row = Mapping[str, Any]
NONE = "none"


def spoken(word: str | None) -> str:
    """`ela_achievement` as 'ela achievement'."""
    return (word or "").replace("_", " ")


def number(value: Any) -> str:
    """A figure as it stands in the step; an exact fraction with its value to two places beside it."""
    if value is None:
        return NONE
    if isinstance(value, str) and "/" in value:
        return f"{value} (≈ {float(Fraction(value)):.2f})"
    return str(value)


def place_of(row: Row) -> str:
    """Where a figure stands: gradespan, student group and indicator, as far as it has them."""
    return ", ".join(spoken(row[part]) for part in ("gradespan", "student_group", "indicator") if row.get(part))
