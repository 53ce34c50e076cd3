"""Reading a delivered workbook: one sheet of plain values, or a clear refusal.

Belongs here: the xlsx format and its traps. Does not: headers and values (the callers).
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from orchestration.errors import InputError

_MERGED = re.compile(rb'<(?:\w+:)?mergeCell ref="([^"]+)"')
_FORMULA = re.compile(
    rb'\br="([A-Z]+[0-9]+)"[^>]*>\s*(?:<(?:\w+:)?v>[^<]*</(?:\w+:)?v>\s*)?<(?:\w+:)?f[ >/]'  # with or without prefix
)
_PIECE = 1 << 20
_SEAM = 1 << 12
"""Bytes read at once, and those of the piece before that are looked at again."""


def read_sheet(
    path: Path, name: str, sheet: str | None, header_row: int, max_bytes: int
) -> Iterator[tuple[int, list[str]]]:
    """Rows of the workbook's only filled sheet (or of `sheet`): (row number, values as text).

    A sheet does not store empty cells at the end of a row: rows are filled up to the header's width.
    Raises InputError on formulas, merged cells, several filled sheets, a damaged or over-large file. Macros, links to
    other workbooks and entities are never read.
    """
    _check_archive(path, name, max_bytes)
    from openpyxl import load_workbook  # slow to import, and few deliveries are workbooks

    try:
        with path.open("rb") as file:
            book = load_workbook(file, read_only=True, keep_links=False)
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
    except InputError:
        raise
    except Exception as error:  # openpyxl has no error of its own: what is not a workbook raises anything
        raise InputError(f"{name}: not a readable workbook ({type(error).__name__}); save it again as .xlsx") from None


def _check_archive(path: Path, name: str, max_bytes: int) -> None:
    """Look for what a values-only reader would hide: formulas, merged cells, an archive bomb."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > max_bytes:
                raise InputError(f"{name}: the workbook expands past {max_bytes} bytes")
            for entry in archive.namelist():
                if entry.endswith((".xml", ".rels")):
                    for piece in _pieces(archive, entry):
                        _check_piece(piece, name)
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, RuntimeError):  # the last two: odd, locked
        raise InputError(f"{name}: not a complete workbook; deliver it again") from None


def _pieces(archive: zipfile.ZipFile, entry: str) -> Iterator[bytes]:
    """A part in pieces that overlap, so that a large one never lies in memory and nothing is missed at a seam."""
    tail = b""
    with archive.open(entry) as part:
        while read := part.read(_PIECE):
            yield tail + read
            tail = (tail + read)[-_SEAM:]


def _check_piece(piece: bytes, name: str) -> None:
    if b"<!DOCTYPE" in piece or b"\0" in piece:  # entities stand in a document type; NUL bytes mean another encoding
        raise InputError(f"{name}: holds a document type or UTF-16, which no workbook needs; save it again as .xlsx")
    if found := _FORMULA.search(piece):
        cell = found.group(1).decode()
        raise InputError(f"{name}: cell {cell} holds a formula; paste values and deliver it again")
    if found := _MERGED.search(piece):
        cells = found.group(1).decode("utf-8", "replace")
        raise InputError(f"{name}: cells {cells} are merged; unmerge them and deliver it again")


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
