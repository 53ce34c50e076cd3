"""Charts as places and sizes in a drawing of fixed width; the templates write them as SVG.

Belongs here: geometry. Does not: counting (`overview`) and markup. Every figure of a chart stands in a table below it.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestration.pages.organisation import Trend
from orchestration.pages.overview import Crosstab

WIDTH = 720
PLOT = 190
"""Height of the bars of an upright chart."""
LEFT, TOP, GAP = 40, 24, 8
ROW, BAR, NAMES = 34, 24, 170
"""Of a lying chart: height of a row, of its bar, and width of the names."""
LABELLED = 24
"""A piece at least this wide has its count in it."""


@dataclass(frozen=True)
class Piece:
    """A rectangle; `series` picks colour and pattern, `text` stands in it where there is room."""

    x: float
    y: float
    width: float
    height: float
    series: int
    text: str


@dataclass(frozen=True)
class Mark:
    """A word at a place."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Chart:
    """A drawing. `ticks` are the lines across an upright chart with their value, `names` the words along its axis."""

    height: float
    pieces: tuple[Piece, ...]
    names: tuple[Mark, ...]
    ticks: tuple[Mark, ...]
    series: tuple[str, ...]


def upright(table: Crosstab) -> Chart:
    """A bar a row, its categories one on the other."""
    highest = max((sum(counts) for _, counts in table.rows), default=0) or 1
    step = _step(highest)
    top = -(-highest // step) * step
    wide = (WIDTH - LEFT) / max(len(table.rows), 1)
    pieces, names = [], []
    for place, (name, counts) in enumerate(table.rows):
        x, base = LEFT + place * wide + GAP / 2, float(TOP + PLOT)
        for series, count in enumerate(counts):
            if count:
                height = PLOT * count / top
                base -= height
                pieces.append(_piece(x, base, wide - GAP, height, series, ""))
        names.append(_mark(x + (wide - GAP) / 2, TOP + PLOT + 18, name))
        names.append(_mark(x + (wide - GAP) / 2, base - 5, str(sum(counts))))
    ticks = tuple(_mark(LEFT, TOP + PLOT - PLOT * value / top, str(value)) for value in range(0, top + 1, step))
    return Chart(TOP + PLOT + 26, tuple(pieces), tuple(names), ticks, table.categories)


def lying(table: Crosstab) -> Chart:
    """A bar a row, as long as the whole; its categories are shares of it."""
    pieces, names = [], []
    for place, (name, counts) in enumerate(table.rows):
        x, y, whole = float(NAMES), place * ROW + (ROW - BAR) / 2, sum(counts)
        for series, count in enumerate(counts):
            if count:
                width = (WIDTH - NAMES) * count / whole
                pieces.append(_piece(x, y, width, BAR, series, str(count) if width >= LABELLED else ""))
                x += width
        names.append(_mark(NAMES - 10, y + BAR / 2 + 5, name))
    return Chart(len(table.rows) * ROW, tuple(pieces), tuple(names), (), table.categories)


def trend(years: tuple[Trend, ...]) -> Chart | None:
    """Two bars a year, the annual and the cumulative percentage; None where fewer than two years have a figure."""
    if sum(year.annual.kind == "figure" or year.cumulative.kind == "figure" for year in years) < 2:
        return None
    wide = min((WIDTH - LEFT) / len(years), 160)
    pieces, names = [], []
    for place, year in enumerate(years):
        for series, found in enumerate((year.annual, year.cumulative)):
            x = LEFT + place * wide + GAP + series * (wide - 2 * GAP) / 2
            bar = (wide - 2 * GAP) / 2 - 4
            if found.kind == "figure":
                height = PLOT * int(found.text) / 100
                pieces.append(_piece(x, TOP + PLOT - height, bar, height, series, ""))
                names.append(_mark(x + bar / 2, TOP + PLOT - height - 5, found.text))
        names.append(_mark(LEFT + place * wide + wide / 2, TOP + PLOT + 18, str(year.year)))
    ticks = tuple(_mark(LEFT, TOP + PLOT - PLOT * value / 100, str(value)) for value in (0, 25, 50, 75, 100))
    return Chart(TOP + PLOT + 26, tuple(pieces), tuple(names), ticks, ("Annual", "Cumulative"))


def _step(highest: int) -> int:
    """A round distance between lines, so that there are at most six."""
    step = 1
    while highest / step > 5:
        step = step * 2 if str(step)[0] in "15" else step * 5 // 2
    return step


def _piece(x: float, y: float, width: float, height: float, series: int, text: str) -> Piece:
    return Piece(round(x, 1), round(y, 1), round(width, 1), round(height, 1), series, text)


def _mark(x: float, y: float, text: str) -> Mark:
    return Mark(round(x, 1), round(y, 1), text)
