"""Workbooks (xlsx) for people: a sheet a table, in constant memory, with the same bytes for the same rows.

Belongs here: writing cells safely. Does not: what goes into them; reading delivered workbooks is intake's.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

MOST_ROWS = 1_000_000
"""Rows a sheet holds; more are cut, and the last line says so."""
_DAY = datetime(2000, 1, 1)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_workbook(path: Path, sheets: Mapping[str, tuple[tuple[str, ...], Iterable[Iterable[object]]]]) -> None:
    """Write `sheets` (title to header and rows). Text that a program could take for a formula stays text."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    book.properties.created = book.properties.modified = _DAY
    for title, (header, rows) in sheets.items():
        sheet = book.create_sheet(title[:31])
        sheet.freeze_panes = "A2"
        sheet.append(header)
        for number, row in enumerate(rows):
            if number == MOST_ROWS:
                sheet.append([f"more than {MOST_ROWS:,} rows; the rest is left out"])
                break
            cells = []
            for value in row:
                cell = WriteOnlyCell(sheet, value=value if isinstance(value, int | float | None) else str(value))
                if isinstance(value, str) and value.startswith(_FORMULA):
                    cell.data_type = "s"
                    cell.quotePrefix = True
                cells.append(cell)
            sheet.append(cells)
    aside = path.with_name(f".{path.name}")
    book.save(aside)
    _without_clock(aside, path)


def _without_clock(source: Path, target: Path) -> None:
    """The same archive with one fixed time on every part: openpyxl writes the moment of saving."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            content = old.read(info.filename)
            new.writestr(zipfile.ZipInfo(info.filename, (2000, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    source.unlink()
