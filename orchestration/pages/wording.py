"""How the pages spell the words of the tables, and what a cell without a figure says.

Belongs here: labels as the published reports print them, and cells. Does not: any figure; the labels of student groups
are policy of a year (`Source.groups`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from orchestration.explanation.spelling import spoken

INDICATORS = {
    "ela_achievement": "English language arts achievement",
    "math_achievement": "Mathematics achievement",
    "science_achievement": "Science achievement",
    "ela_growth": "English language arts growth",
    "math_growth": "Mathematics growth",
    "four_year_graduation": "Four-year cohort graduation rate",
    "extended_engagement": "Extended engagement rate",
    "annual_dropout": "Annual dropout rate",
    "el_progress": "English language proficiency",
    "chronic_absenteeism": "Chronic absenteeism",
    "advanced_coursework": "Advanced coursework completion",
}
"""Labels of the indicators, in the order of a published report."""
LABELS = INDICATORS | {
    "completion": "High school completion",
    "additional": "Additional indicators",
    "all": "All students",
    "lowest": "Lowest performing students",
    "non_high": "Non-high school grades",
    "high": "High school grades",
    "n_too_small": "too few students",
    "ok": "none",
}
"""Words of the tables whose label is not the word itself with a capital; any other word is spelled out as it stands."""
GROUPS = (
    "all_students",
    "lowest_performing",
    "high_needs",
    "low_income",
    "el_and_former_el",
    "students_with_disabilities",
)
"""Student groups that a report lists first, in its order; the others follow by label."""
CAPITALS = {"ela": "ELA", "el": "EL", "csi": "CSI", "tsi": "TSI", "atsi": "ATSI"}
DASH = "–"


def label(word: str | None) -> str:
    """A word of the tables as a person reads it; several words with semicolons one after the other."""
    if not word:
        return ""
    if "; " in word:
        return ", ".join(label(part) for part in word.split("; "))
    if word in LABELS:
        return LABELS[word]
    text = " ".join(CAPITALS.get(part, part) for part in spoken(word).split(" "))
    return text[:1].upper() + text[1:]


def in_order(words: Iterable[str]) -> list[str]:
    """Indicators in the order of a report; one that it does not know comes last."""
    known = list(INDICATORS)
    return sorted(words, key=lambda word: (known.index(word) if word in known else len(known), word))


class Cell(NamedTuple):
    """What stands in a cell; `kind` is figure, status (why there is none) or withheld."""

    text: str
    kind: str = "figure"


NOTHING = Cell(DASH, "status")


def cell(value: Any, status: str | None, withheld: str) -> Cell:
    """The figure as it stands in the table, else why there is none; `withheld` is the status of withheld rows."""
    if value is not None:
        return Cell(f"{value:,}" if isinstance(value, int) else str(value))
    if withheld and status == withheld:
        return Cell(withheld, "withheld")
    return Cell(label(status).lower(), "status") if status not in (None, "", "ok") else NOTHING
