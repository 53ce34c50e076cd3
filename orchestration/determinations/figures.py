"""Rows of indicator_results, and the index in which every later step looks one up.

Belongs here: what a result is and where it is found. Does not: what it is compared with.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from orchestration.errors import InputError

Key: TypeAlias = tuple[str, str, str, str]
"""Organisation, gradespan, student group, indicator."""
Cell: TypeAlias = tuple[str, str, str]
"""Gradespan, student group, indicator: one figure of an organisation."""
Kind: TypeAlias = tuple[str, str, str, str]
"""Measure, gradespan, student group, indicator: what is compared with each other."""


class Result(NamedTuple):
    """A row of indicator_results, values with one decimal. Any value is a baseline, used in its own year or not."""

    school_year: int
    org_code: str
    org_type: str
    gradespan: str
    student_group: str
    indicator: str
    measure: str
    value: Decimal | None
    n: int
    status: str = "ok"

    @property
    def key(self) -> Key:
        """What a target belongs to."""
        return self.org_code, self.gradespan, self.student_group, self.indicator

    @property
    def kind(self) -> Kind:
        """What its value is compared with."""
        return self.measure, self.gradespan, self.student_group, self.indicator


Figures: TypeAlias = Mapping[int, Mapping[str, Mapping[Cell, Result]]]
"""School year to organisation to cell to its result; a year without results has no organisations."""


def by_year(results: Iterable[Result]) -> Figures:
    """The index of `results`. Raises InputError for a result that stands there twice."""
    found: dict[int, dict[str, dict[Cell, Result]]] = defaultdict(lambda: defaultdict(dict))
    cells: dict[Cell, Cell] = {}
    place: tuple[int, str] | None = None
    of_organisation: dict[Cell, Result] = {}
    for row in results:
        cell = row.gradespan, row.student_group, row.indicator
        cell = cells.setdefault(cell, cell)  # a few hundred stand behind half a million rows
        if place != (row.school_year, row.org_code):
            place = row.school_year, row.org_code
            of_organisation = found[row.school_year][row.org_code]
        if cell in of_organisation:
            raise InputError(f"indicator_results: {row.school_year} {' '.join(row.key)} stands there twice")
        of_organisation[cell] = row
    return found
