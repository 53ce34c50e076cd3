"""The statewide overview: how many schools stand where, for the charts and the tables beside them.

Belongs here: counting rows of the tables. Does not: drawing (`charts`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from orchestration.explanation.reading import Row
from orchestration.pages.reading import Source
from orchestration.pages.wording import label

BAND = 10
"""Percentiles in a bar."""
HIGHEST = 99
LEVELS = {"school": "Schools", "district": "Districts"}
NOWHERE = "No region on record"
NONE = "No determination"


@dataclass(frozen=True)
class Crosstab:
    """Counts by row and category; `categories` in the order of the columns. `left_out` says who is not in it."""

    categories: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]
    left_out: int = 0

    @property
    def total(self) -> tuple[int, ...]:
        """The sum of each column."""
        return tuple(map(sum, zip(*(counts for _, counts in self.rows), strict=True)))


def by_level(source: Source) -> Crosstab:
    """Categories of schools and of districts."""
    levels = {code: LEVELS[o["org_type"]] for code, o in source.organisations.items() if o["org_type"] in LEVELS}
    found = Counter((level, _category(code, source)) for code, level in levels.items())
    return _crosstab(found, list(LEVELS.values()), _categories(source))


def by_percentile(source: Source) -> Crosstab:
    """Schools by band of accountability percentile and category; left out are those without one to show."""
    bands = [f"{low}–{min(low + BAND - 1, HIGHEST)}" for low in range(1, HIGHEST, BAND)]
    found: Counter[tuple[str, str]] = Counter()
    left_out = 0
    for code, row in _schools(source):
        percentile = source.determinations.get(code, row).get("percentile")
        if percentile is None:
            left_out += 1
        else:
            found[bands[(percentile - 1) // BAND], _category(code, source)] += 1
    return _crosstab(found, bands, _categories(source), left_out)


def by_region(source: Source) -> Crosstab:
    """Categories of schools by region, the regions by name."""
    found = Counter((row.get("former_center") or NOWHERE, _category(code, source)) for code, row in _schools(source))
    regions = sorted({region for region, _ in found}, key=lambda region: (region == NOWHERE, region))
    return _crosstab(found, regions, _categories(source))


def _schools(source: Source) -> list[tuple[str, Row]]:
    return [(code, row) for code, row in source.organisations.items() if row["org_type"] == "school"]


def _category(code: str, source: Source) -> str:
    row = source.determinations.get(code, {})
    return row.get("overall_classification") or label(row.get("status")) or NONE


def _categories(source: Source) -> tuple[str, ...]:
    """The most frequent category first, so that bars begin with it."""
    counts = Counter(_category(code, source) for code, _ in _schools(source))
    return tuple(name for name, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _crosstab(found: Counter[tuple[str, str]], rows: list[str], categories: tuple[str, ...], out: int = 0) -> Crosstab:
    others = sorted({category for _, category in found} - set(categories))
    columns = (*categories, *others)
    return Crosstab(columns, tuple((row, tuple(found[row, column] for column in columns)) for row in rows), out)
