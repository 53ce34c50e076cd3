"""Reading a delivered workbook: one sheet of plain values, or a clear refusal.

Belongs here: the xlsx format and its traps. Does not: headers and values (the callers).
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from orchestration.errors import InputError

_MERGED = re.compile(rb'<mergeCell ref="([^"]+)"')
_FORMULA = re.compile(rb'<c r="([A-Z]+[0-9]+)"[^>]*>\s*<f[ >/]')


def read_sheet(
    path: Path, name: str, sheet: str | None, header_row: int, max_bytes: int
) -> Iterator[tuple[int, list[str]]]:
    """Rows of the workbook's only filled sheet (or of `sheet`): (row number, values as text).

    A sheet does not store empty cells at the end of a row: rows are filled up to the header's width.
    Raises InputError on formulas, merged cells, several filled sheets, a damaged or over-large file.
    """
    _check_archive(path, name, max_bytes)
    from openpyxl import load_workbook  # slow to import, and few deliveries are workbooks

    try:
        with path.open("rb") as file:
            book = load_workbook(file, read_only=True)
            titles = _filled_sheets(book)
            if sheet is not None and sheet not in titles:
                raise InputError(f"{name}: no filled sheet '{sheet}'; it has {', '.join(titles) or 'none'}")
            if sheet is None and len(titles) != 1:
                found = f"{len(titles)} filled sheets ({', '.join(titles)})" if titles else "no filled sheet"
                raise InputError(f"{name}: {found}; deliver a workbook with one")
            width = 0
            for number, cells in enumerate(book[sheet or titles[0]].iter_rows(values_only=True), start=1):
                values = [_as_text(value) for value in cells]
                while values and not values[-1]:
                    values.pop()
                if number == header_row:
                    width = len(values)
                elif values:
                    values += [""] * (width - len(values))
                yield number, values
    except (KeyError, ValueError, zipfile.BadZipFile, SyntaxError) as error:
        raise InputError(f"{name}: not a readable workbook ({type(error).__name__}); save it again as .xlsx") from None


def _check_archive(path: Path, name: str, max_bytes: int) -> None:
    """Look for what a values-only reader would hide: formulas, merged cells, an archive bomb."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > max_bytes:
                raise InputError(f"{name}: the workbook expands past {max_bytes} bytes")
            for entry in archive.namelist():
                if entry.startswith("xl/worksheets/") and entry.endswith(".xml"):
                    content = archive.read(entry)
                    if found := _FORMULA.search(content):
                        cell = found.group(1).decode()
                        raise InputError(f"{name}: cell {cell} holds a formula; paste values and deliver it again")
                    if found := _MERGED.search(content):
                        cells = found.group(1).decode()
                        raise InputError(f"{name}: cells {cells} are merged; unmerge them and deliver it again")
    except (zipfile.BadZipFile, EOFError):
        raise InputError(f"{name}: not a complete workbook; deliver it again") from None


def _filled_sheets(book: object) -> list[str]:
    titles = []
    for sheet in book.worksheets:  # type: ignore[attr-defined]
        if any(value is not None for row in sheet.iter_rows(values_only=True) for value in row):
            titles.append(sheet.title)
    return titles


def _as_text(value: object) -> str:
    """A cell as the text a CSV would hold: 350062.0 -> '350062', a date as YYYY-MM-DD."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(sep=" ")
    return str(value)
