"""From delivered bytes to one plain table file: encodings, archives, workbooks and broken structure end here.

Belongs here: everything about file formats. Does not: what a column or a value means (``validating.py``).
Each function takes the store's own copy of a delivery; nothing here reads the landing folder.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.errors import InputError
from orchestration.intake.workbooks import read_sheet

CHUNK = 1 << 20
BATCH = 50_000
ROW = "_row"
_WIDE_BOMS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}


@dataclass(frozen=True)
class Limits:
    """Operating limits of intake: policy rule `intake_limit`."""

    max_columns: int
    max_expanded_bytes: int
    max_expansion_ratio: int
    max_line_bytes: int
    settle_seconds: int


@dataclass(frozen=True)
class Prepared:
    """A delivery as a table file that DuckDB reads without guessing.

    `header` are the delivered headers in order, `columns` what the file calls them. `lines` is the number of data rows
    of a regular CSV (header first, no quotes), None for Parquet. Row numbers stand in column `_row` when `numbered`,
    else the first data row is row 2 and rows follow each other. `ragged` are the numbers of rows with a wrong number of
    values; they are not in the file. `has_blanks`: a value may begin or end with a blank.
    """

    path: Path
    header: tuple[str, ...]
    columns: tuple[str, ...]
    lines: int | None = None
    numbered: bool = False
    ragged: tuple[int, ...] = ()
    has_blanks: bool = True


def prepare(
    path: Path,
    name: str,
    work: Path,
    limits: Limits,
    *,
    header_row: int = 1,
    sheet: str | None = None,
    careful: bool = False,
) -> Prepared:
    """Check the structure of a delivery and make it readable.

    `path` is the stored copy, `name` the delivered name (its ending tells the format) used in messages, `work` an
    empty folder for what is made on the way. `careful` reads every record of a text with the reference reader, whatever
    counting says. Raises InputError naming file, row or column.
    """
    lower = name.lower()
    if path.stat().st_size == 0:
        raise InputError(f"{name}: the file is empty; deliver it again")
    if lower.endswith(".parquet"):
        return _prepare_parquet(path, name, limits)
    if lower.endswith(".xlsx"):
        rows = read_sheet(path, name, sheet, header_row, _ceiling(path, limits))
        return _prepare_rows(rows, name, work, header_row, limits)
    text = _expand(path, name, work, limits) if lower.endswith(".gz") else path
    plain = _check_text(text, name, limits)
    header = _read_header(text, name, header_row, limits)
    if not careful and plain.is_regular(len(header), header_row):
        return Prepared(text, header, _positions(header), lines=plain.lines - 1, has_blanks=plain.has_blanks)
    return _prepare_rows(_csv_records(text, name, limits), name, work, header_row, limits)


@dataclass(frozen=True)
class _TextCounts:
    quotes: int
    commas: int
    lines: int
    returns: int
    has_blanks: bool

    def is_regular(self, columns: int, header_row: int) -> bool:
        """True when the counts are those of a file in which every row has as many values as the header.

        Else (quotes, mixed line ends, another number of commas) the careful reader decides. It also
        decides when DuckDB then finds a row too short: the counts cannot tell one value too many in one row and one
        too few in another from none.
        """
        return (
            header_row == 1
            and columns > 1
            and self.quotes == 0
            and self.returns in (0, self.lines)
            and self.commas == (columns - 1) * self.lines
        )


def _check_text(path: Path, name: str, limits: Limits) -> _TextCounts:
    """One pass over the text: encoding, NUL bytes, over-long lines; and the counts that spare a second pass."""
    quotes = commas = lines = returns = run = 0
    has_blanks = False
    decoder = codecs.getincrementaldecoder("utf-8")()
    previous = b"\n"
    with path.open("rb") as file:
        start = file.read(4)
        for bom, encoding in _WIDE_BOMS.items():
            if start.startswith(bom):
                raise InputError(
                    f"{name}: the text is {encoding}, not UTF-8; save it as CSV UTF-8 and deliver it again"
                )
        file.seek(0)
        while chunk := file.read(CHUNK):
            if (at := chunk.find(b"\0")) >= 0:
                row = lines + chunk.count(b"\n", 0, at) + 1
                raise InputError(f"{name}: row {row} holds a NUL byte; export the file again")
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                row = lines + chunk.count(b"\n", 0, error.start) + 1
                raise InputError(
                    f"{name}: row {row} is not UTF-8 text (Latin-1 or Windows-1252?); "
                    "save it as CSV UTF-8 and deliver it again"
                ) from None
            has_blanks = has_blanks or _has_blanks(previous + chunk)
            run = _longest_line(chunk, run, lines, name, limits)
            quotes += chunk.count(b'"')
            commas += chunk.count(b",")
            lines += chunk.count(b"\n")
            returns += chunk.count(b"\r")
            previous = chunk[-1:]
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise InputError(f"{name}: row {lines + 1} ends in the middle of a character; the file is cut off") from None
    if previous != b"\n":
        lines += 1
        returns += 1 if returns else 0
    return _TextCounts(quotes, commas, lines, returns, has_blanks or previous == b" ")


def _has_blanks(text: bytes) -> bool:
    """Whether a blank stands where a value may begin or end; a tab may be anywhere. One at the very end is not seen."""
    if b"\t" in text:
        return True
    if b" " not in text:
        return False
    bytes_ = np.frombuffer(text, np.uint8)
    blanks = np.flatnonzero(bytes_ == ord(" "))
    around = np.concatenate([bytes_[np.maximum(blanks - 1, 0)], bytes_[np.minimum(blanks + 1, len(text) - 1)]])
    return bool(np.isin(around, list(b",\r\n")).any())


def _longest_line(chunk: bytes, run: int, lines: int, name: str, limits: Limits) -> int:
    """Bytes since the last line break after `chunk`; a line over the limit is an error."""
    first, last = chunk.find(b"\n"), chunk.rfind(b"\n")
    if run + (first if first >= 0 else len(chunk)) > limits.max_line_bytes:
        raise InputError(
            f"{name}: row {lines + 1} is longer than {limits.max_line_bytes} bytes; "
            "a value is too large or line breaks are missing"
        )
    return run + len(chunk) if last < 0 else len(chunk) - last - 1


def _positions(header: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"c{position}" for position in range(len(header)))


def _read_header(path: Path, name: str, header_row: int, limits: Limits) -> tuple[str, ...]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            for number, record in enumerate(reader, start=1):
                if number == header_row:
                    return _checked_header(record, name, limits)
        except csv.Error as error:
            raise InputError(f"{name}: row 1: {error}; the header cannot be read") from None
    raise InputError(f"{name}: the file has no header in row {header_row}")


def _checked_header(record: Iterable[str], name: str, limits: Limits) -> tuple[str, ...]:
    header = tuple(record)
    if len(header) > limits.max_columns:
        raise InputError(f"{name}: {len(header)} columns, more than {limits.max_columns}; a line break may be missing")
    for position, column in enumerate(header, start=1):
        if not column.strip():
            raise InputError(f"{name}: column {position} has no header; name it or remove it")
    return header


def _csv_records(path: Path, name: str, limits: Limits) -> Iterator[tuple[int, list[str]]]:
    """Records of a CSV with their row numbers, by the reference reader. Raises InputError at the first fault."""
    csv.field_size_limit(limits.max_line_bytes)
    number = 0
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        while True:
            number += 1
            try:
                yield number, next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                fault = "a quote is never closed" if "end of data" in str(error) else str(error)
                raise InputError(f"{name}: row {number}: {fault}; correct the row and deliver the file again") from None


def _prepare_rows(
    records: Iterable[tuple[int, list[str]]], name: str, work: Path, header_row: int, limits: Limits
) -> Prepared:
    """Write well-formed records with their row numbers to Parquet; note the others. Blank rows at the end are none."""
    source = iter(records)
    header: tuple[str, ...] | None = None
    for number, record in source:
        if number == header_row:
            header = _checked_header(record, name, limits)
            break
    if header is None:
        raise InputError(f"{name}: the file has no header in row {header_row}")
    path, columns = work / "records.parquet", _positions(header)
    ragged: list[int] = []
    fields = [pa.field(ROW, pa.int64()), *(pa.field(column, pa.string()) for column in columns)]
    with pq.ParquetWriter(path, pa.schema(fields)) as writer:
        for batch in _batches(_well_formed(source, len(header), ragged), BATCH):
            arrays = [
                pa.array(values, field.type) for values, field in zip(zip(*batch, strict=True), fields, strict=True)
            ]
            writer.write_table(pa.table(arrays, schema=pa.schema(fields)))
    return Prepared(path, header, columns, numbered=True, ragged=tuple(ragged))


def _well_formed(records: Iterator[tuple[int, list[str]]], width: int, ragged: list[int]) -> Iterator[list[object]]:
    """Rows of the header's width behind their number; the numbers of the others go to `ragged`."""
    blank: list[int] = []
    for number, record in records:
        if len(record) != width and not any(record):
            blank.append(number)  # a fault only if a filled row follows
            continue
        ragged += blank
        blank = []
        if len(record) == width:
            yield [number, *record]
        else:
            ragged.append(number)


def _batches(rows: Iterator[list[object]], size: int) -> Iterator[list[list[object]]]:
    while batch := list(islice(rows, size)):
        yield batch


def _ceiling(path: Path, limits: Limits) -> int:
    """Bytes that an archive or a workbook may expand to."""
    return min(limits.max_expanded_bytes, max(path.stat().st_size * limits.max_expansion_ratio, CHUNK))


def _expand(path: Path, name: str, work: Path, limits: Limits) -> Path:
    out = work / "expanded.csv"
    ceiling = _ceiling(path, limits)
    written = 0
    try:
        with gzip.open(path, "rb") as source, out.open("wb") as target:
            while chunk := source.read(CHUNK):
                written += len(chunk)
                if written > ceiling:
                    raise InputError(
                        f"{name}: the archive expands past {ceiling} bytes; deliver it as plain CSV if it is genuine"
                    )
                target.write(chunk)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise InputError(f"{name}: the gzip archive is cut off or damaged; deliver it again") from None
    if written == 0:
        raise InputError(f"{name}: the archive is empty; deliver it again")
    return out


def _prepare_parquet(path: Path, name: str, limits: Limits) -> Prepared:
    try:
        meta = pq.read_metadata(path)
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError):
        raise InputError(f"{name}: not a complete Parquet file; deliver it again") from None
    expanded = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
    if expanded > limits.max_expanded_bytes:
        raise InputError(f"{name}: the file expands past {limits.max_expanded_bytes} bytes")
    for column in schema:
        if not _holds_plain_values(column.type):
            raise InputError(
                f"{name}: column '{column.name}' has the Parquet type {column.type}; deliver text, numbers or dates"
            )
    header = _checked_header(schema.names, name, limits)
    return Prepared(path, header, header)


def _holds_plain_values(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _holds_plain_values(kind.value_type)
    tests = (
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_string_view,
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_decimal,
        pa.types.is_date,
        pa.types.is_null,
    )
    return any(test(kind) for test in tests)
