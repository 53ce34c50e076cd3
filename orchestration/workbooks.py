"""Workbooks (xlsx) for people: a sheet a table, in constant memory, with the same bytes for the same rows.

Belongs here: writing cells safely. Does not: what goes into them; reading delivered workbooks is intake's.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

MOST_ROWS = 1_000_000
"""Rows a sheet holds; more are cut, and the last line says so."""
FIXED = datetime(2000, 1, 1)
_BEGINS = ("=", "+", "-", "@", "\t", "\r")
"""What a formula may begin with: a text that begins so is marked as quoted, and stays text when somebody edits it."""
_SAVED = re.compile(rb"(?<=<dcterms:modified xsi:type=\"dcterms:W3CDTF\">)[^<]*")


def write_workbook(path: Path, sheets: Mapping[str, tuple[tuple[str, ...], Iterable[Iterable[object]]]]) -> None:
    """Write `sheets` (title to header and rows). Text that a program could take for a formula stays text."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    book.properties.created = FIXED
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
                is_text = not isinstance(value, int | float | None)
                cells.append(WriteOnlyCell(sheet, value=None if is_text else value))
                if is_text:
                    put_text(cells[-1], str(value))
            sheet.append(cells)
    content = io.BytesIO()
    book.save(content)
    path.write_bytes(same_bytes(content.getvalue()))


def put_text(cell: Any, text: str) -> None:
    """Text into a cell of openpyxl as text, whatever it begins with, without what a workbook cannot hold."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    cell.value = ILLEGAL_CHARACTERS_RE.sub("", text)
    cell.data_type = "s"
    if text.startswith(_BEGINS):
        cell.quotePrefix = True


def same_bytes(content: bytes) -> bytes:
    """A workbook with one fixed time in every part: openpyxl writes the moment of saving into it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            data = _SAVED.sub(FIXED.strftime("%Y-%m-%dT%H:%M:%SZ").encode(), old.read(entry.filename))
            new.writestr(zipfile.ZipInfo(entry.filename, FIXED.timetuple()[:6]), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()
