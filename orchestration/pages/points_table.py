"""The points of an organisation laid out as the published report is: indicators down, four columns across.

Belongs here: which cell stands where. Does not: points, weights and percentages, which the release decided; the totals
of a category are the sums that the report prints.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orchestration.determinations.report_columns import (
    ALL_STUDENTS,
    EL_CATEGORY,
    GRADESPANS,
    LOWEST_PERFORMING,
    ReportColumn,
    reported_columns,
)
from orchestration.explanation.reading import Row
from orchestration.pages.reading import Source
from orchestration.pages.wording import INDICATORS, NOTHING, Cell, cell, in_order, label

GROUPS = {"all": ALL_STUDENTS, "lowest": LOWEST_PERFORMING}
PARTS = ("Points", "Possible", "Weight")


@dataclass(frozen=True)
class Line:
    """A line of the table: a cell for each part of each column. `kind` is indicator, total, weighted or percent."""

    kind: str
    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Category:
    """The lines of a category."""

    label: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Spread:
    """A figure that stands across the columns it holds for: the gradespan's, or the organisation's."""

    label: str
    cells: tuple[tuple[Cell, int], ...]


@dataclass(frozen=True)
class PointsTable:
    """`gradespans` are (label, number of columns), `columns` the populations below them."""

    gradespans: tuple[tuple[str, int], ...]
    columns: tuple[str, ...]
    categories: tuple[Category, ...]
    totals: tuple[Line, ...]
    spreads: tuple[Spread, ...]


@dataclass(frozen=True)
class _Column:
    """A column with the organisation's rows in it."""

    column: ReportColumn
    rows: dict[str, Row]
    percentage: Row
    most: int
    withheld: str

    @property
    def has_el(self) -> bool:
        """Whether EL progress has points, which decides the weights."""
        members = self.column.categories.get(EL_CATEGORY, ())
        return any(self.rows.get(indicator, {}).get("points") is not None for indicator in members)

    @property
    def is_withheld(self) -> bool:
        return bool(self.withheld) and any(row["status"] == self.withheld for row in self.rows.values())

    def indicator(self, indicator: str) -> tuple[Cell, Cell, Cell]:
        row = self.rows.get(indicator)
        if row is None:
            return Cell("", "empty"), Cell("", "empty"), Cell("", "empty")
        earned = cell(row["points"], row["status"], self.withheld)
        return earned, Cell(str(self.most)) if row["points"] is not None else NOTHING, Cell("", "empty")

    def total(self, category: str) -> tuple[Cell, Cell, Cell]:
        points = [self.rows[i]["points"] for i in self.column.categories.get(category, ()) if i in self.rows]
        if not points:
            return Cell("", "empty"), Cell("", "empty"), Cell("", "empty")
        if self.is_withheld:
            return Cell(self.withheld, "withheld"), NOTHING, NOTHING
        earned = [value for value in points if value is not None]
        if not earned:
            return NOTHING, NOTHING, NOTHING
        weight = self.column.weights[self.has_el].get(category)
        percent = Cell(f"{weight.value} %") if weight else NOTHING
        return Cell(str(sum(earned))), Cell(str(self.most * len(earned))), percent

    def weighted(self) -> tuple[Cell, Cell, Cell]:
        row = self.percentage
        earned, possible = (
            cell(row.get(name), row.get("status"), self.withheld) for name in ("weighted_earned", "weighted_possible")
        )
        return earned, possible if possible.kind == "figure" else NOTHING, Cell("", "empty")


def points_table(org_code: str, org_type: str, source: Source) -> PointsTable | None:
    """The table of an organisation; None where it has no row of points."""
    points = [r for r in source.tables.rows("indicator_points", org_code) if r["student_group"] in GROUPS.values()]
    percentages = source.tables.rows("target_percentages", org_code)
    year = source.release.year
    columns = []
    for name in reported_columns(source.register, year, org_type):
        span, population = name.rpartition("_")[::2]
        rows = {r["indicator"]: r for r in points if (r["gradespan"], r["student_group"]) == (span, GROUPS[population])}
        if rows:
            percentage = _stage(percentages, "column", GROUPS[population], name)
            columns.append(_Column(source.layout[name], rows, percentage, source.most, source.word))
    if not columns:
        return None
    spans = [span for span in GRADESPANS if any(c.column.gradespan == span for c in columns)]
    width = {span: sum(c.column.gradespan == span for c in columns) for span in spans}
    members: dict[str, set[str]] = {}
    for one in columns:
        for category, indicators in one.column.categories.items():
            members.setdefault(category, set()).update(set(indicators) & one.rows.keys())
    found = []
    for category in sorted((c for c in members if members[c]), key=lambda c: _first(members[c])):
        lines = [
            Line("indicator", label(i), _flat(c.indicator(i) for c in columns)) for i in in_order(members[category])
        ]
        lines.append(Line("total", f"{label(category)} total", _flat(c.total(category) for c in columns)))
        found.append(Category(label(category), tuple(lines)))
    return PointsTable(
        tuple((label(span), width[span]) for span in spans),
        tuple(label(c.column.name.rpartition("_")[2]) for c in columns),
        tuple(found),
        (
            Line("weighted", "Weighted total", _flat(c.weighted() for c in columns)),
            Line("percent", "Percentage of possible points", tuple(_percent(c.percentage, source) for c in columns)),
        ),
        _spreads(org_code, percentages, spans, width, source),
    )


def _spreads(
    org_code: str, percentages: list[Row], spans: list[str], width: dict[str, int], source: Source
) -> tuple[Spread, ...]:
    """The percentages below the columns; the annual one of the prior year as that year's release has it."""
    by_span = tuple(
        (_percent(_stage(percentages, "gradespan", ALL_STUDENTS, gradespan=span), source), width[span])
        for span in spans
    )
    whole = sum(width.values())
    year = source.release.year
    prior_year = source.register.find(year, "cumulative", "prior_year")
    before = next((e for e in source.earlier if prior_year and str(e.year) == prior_year.value), None)
    prior = []
    if before:
        row = (before.determinations or {}).get(org_code, {})
        figure = _percent({"shown": row.get("annual"), "status": row.get("status")}, source)
        prior.append(Spread(f"Annual target percentage {before.year}", ((figure, whole),)))
    return (
        Spread("Target percentage of the grades", by_span),
        Spread(f"Annual target percentage {year}", ((_percent(_stage(percentages, "annual"), source), whole),)),
        *prior,
        Spread(f"Cumulative target percentage {year}", ((_percent(_stage(percentages, "cumulative"), source), whole),)),
    )


def _stage(
    rows: Iterable[Row], stage: str, group: str = ALL_STUDENTS, column: str | None = None, gradespan: str | None = None
) -> Row:
    """The percentage of a stage; empty where there is none."""
    for row in rows:
        if (row["stage"], row["student_group"]) != (stage, group):
            continue
        if (column is None or row["report_column"] == column) and (gradespan is None or row["gradespan"] == gradespan):
            return row
    return {}


def _percent(row: Row, source: Source) -> Cell:
    found = cell(row.get("shown"), row.get("status"), source.word)
    return Cell(f"{found.text} %") if found.kind == "figure" else found


def _first(indicators: Iterable[str]) -> int:
    """Where a category stands: where a report has the first of its indicators."""
    return list(INDICATORS).index(in_order(indicators)[0])


def _flat(cells: Iterable[tuple[Cell, ...]]) -> tuple[Cell, ...]:
    return tuple(one for group in cells for one in group)
