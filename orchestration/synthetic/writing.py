"""Columns and files. A table is a dict of columns in any order; the contract decides the order on disk.

Belongs here: turning columns into CSV or Parquet, each file complete or absent. Does not: what the values mean.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as arrow_parquet

from orchestration.errors import InputError
from orchestration.intake.contracts import Contract

STRUCTURAL = (",", '"', "\n", "\r")
STUDENT_ID_PRIME = 999_999_937
STUDENT_ID_STEP = 618_033_989
FIRST_STUDENT_ID = 1_000_000_000


@dataclass(frozen=True)
class Coded:
    """Text from a short list: `codes` are positions in `values`, -1 is missing."""

    codes: npt.NDArray[Any]
    values: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def cell(self, row: int) -> str:
        code = int(self.codes[row])
        return "" if code < 0 else self.values[code]


@dataclass(frozen=True)
class Numbers:
    """Whole numbers; where `missing` holds the value is absent."""

    values: npt.NDArray[Any]
    missing: npt.NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def cell(self, row: int) -> str:
        return "" if self.missing is not None and self.missing[row] else str(self.values[row])


Column = Coded | Numbers
Table = dict[str, Column]


@dataclass
class Edits:
    """Rows that differ from the table: `replaced` by position, and `appended` after the last one. Cells are text."""

    replaced: dict[int, list[str]] = field(default_factory=dict)
    appended: list[list[str]] = field(default_factory=list)


def constant(value: str, rows: int) -> Coded:
    """The same text in every row."""
    return Coded(np.zeros(rows, np.int8), (value,))


def missing(rows: int) -> Coded:
    """A column without any value."""
    return Coded(np.full(rows, -1, np.int8), ())


def text(values: Sequence[str | None]) -> Coded:
    """A short text column; None is missing."""
    distinct = {value: i for i, value in enumerate(dict.fromkeys(v for v in values if v is not None))}
    codes = np.array([-1 if v is None else distinct[v] for v in values], np.int32)
    return Coded(codes, tuple(distinct))


def flags(values: npt.NDArray[np.bool_], no: str = "0", yes: str = "1") -> Coded:
    """A yes/no code."""
    return Coded(values.astype(np.int8), (no, yes))


def tenths(values: npt.NDArray[Any], absent: npt.NDArray[np.bool_] | None = None) -> Coded:
    """Decimals with one place, from whole tenths."""
    low = int(values.min(initial=0))
    words = tuple(f"{v // 10}.{v % 10}" for v in range(low, int(values.max(initial=0)) + 1))
    codes = values.astype(np.int32) - low
    return Coded(codes if absent is None else np.where(absent, -1, codes), words)


def student_ids(serial: npt.NDArray[Any]) -> Numbers:
    """Ten-digit identifiers that begin with 1: each serial number has its own, spread so that they tell no order."""
    spread = serial.astype(np.int64) * STUDENT_ID_STEP % STUDENT_ID_PRIME
    return Numbers(FIRST_STUDENT_ID + spread)


def unknown_student_id(number: int) -> str:
    """An identifier that no student has."""
    return str(FIRST_STUDENT_ID + STUDENT_ID_PRIME + number)


def ordered(table: Table, contract: Contract) -> Table:
    """The table in the contract's order. Raises InputError when it has not exactly the contract's fields."""
    if set(table) != set(contract.fields):
        differing = ", ".join(sorted(set(table) ^ set(contract.fields)))
        raise InputError(
            f"{contract.collection}: contract and generator disagree on {differing}; change the generator too"
        )
    return {name: table[name] for name in contract.fields}


def cells(table: Table, row: int) -> list[str]:
    """One row as text, the way a CSV file shows it."""
    return [column.cell(row) for column in table.values()]


def row_count(table: Table) -> int:
    """Rows of a table."""
    return len(next(iter(table.values())))


def write(path: Path, table: Table, edits: Edits, contract: Contract) -> None:
    """Write a complete file; until then it has a name that no intake takes for a delivery."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}")
    try:
        if path.suffix == ".csv":
            _write_csv(unfinished, table, edits)
        else:
            _write_parquet(unfinished, table, edits, contract)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _write_csv(path: Path, table: Table, edits: Edits) -> None:
    plain = not any(
        mark in value
        for column in table.values()
        if isinstance(column, Coded)
        for value in column.values
        for mark in STRUCTURAL
    )
    options = arrow_csv.WriteOptions(include_header=False, quoting_style="none", batch_size=65_536)
    with pa.OSFile(str(path), "wb") as sink:
        sink.write(_lines([list(table)]))
        for start, stop in _between(edits.replaced, row_count(table)):
            if start in edits.replaced:
                sink.write(_lines([edits.replaced[start]]))
            elif plain:
                arrow_csv.write_csv(
                    pa.table({n: _arrow(c, slice(start, stop)) for n, c in table.items()}), sink, options
                )
            else:
                sink.write(_lines([cells(table, row) for row in range(start, stop)]))
        sink.write(_lines(edits.appended))


def _between(replaced: dict[int, list[str]], rows: int) -> Iterator[tuple[int, int]]:
    """Ranges of rows: each replaced row alone, everything between two of them in one piece."""
    start = 0
    for row in sorted(replaced):
        if row > start:
            yield start, row
        yield row, row + 1
        start = row + 1
    if start < rows:
        yield start, rows


def _lines(rows: list[list[str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue().encode()


def _write_parquet(path: Path, table: Table, edits: Edits, contract: Contract) -> None:
    """Numbers and decimals keep their type, unless a planted fault needs text in the column."""
    everything = slice(0, row_count(table))
    columns: dict[str, Any] = {}
    for position, (name, column) in enumerate(table.items()):
        values = _arrow(column, everything)
        spec = contract.fields[name]
        kept = None
        if spec.type == "decimal" and isinstance(column, Coded):
            kept = pa.decimal128(9, spec.scale or 0)
        elif spec.type == "integer":
            kept = pa.int32()
        changed = {row: row_cells[position] for row, row_cells in edits.replaced.items()}
        added = [row_cells[position] for row_cells in edits.appended]
        columns[name] = _typed(values, kept, changed, added)
    arrow_parquet.write_table(pa.table(columns), path, store_schema=False, compression="zstd")


def _typed(values: Any, kept: Any, changed: dict[int, str], added: list[str]) -> Any:
    """`values` with the changed and added cells, as type `kept` if every cell fits it, else as text."""
    if kept is not None:
        try:
            extra = {row: _parse(cell, kept) for row, cell in changed.items()}
            tail = [_parse(cell, kept) for cell in added]
        except (pa.ArrowInvalid, ValueError):
            kept = None
    if kept is None:
        kept = pa.string()
        extra = {row: cell or None for row, cell in changed.items()}
        tail = [cell or None for cell in added]
    if pa.types.is_dictionary(values.type):
        values = pa.DictionaryArray.from_arrays(values.indices, values.dictionary.cast(kept))
        if not extra and not tail and kept == pa.string():
            return values
        values = values.dictionary_decode()
    else:
        values = values.cast(kept)
    rows = [row for row in extra if values[row].as_py() != extra[row]]
    pieces, start = [], 0
    for row in sorted(rows):
        pieces += [values.slice(start, row - start), pa.array([extra[row]], kept)]
        start = row + 1
    return pa.chunked_array([*pieces, values.slice(start), pa.array(tail, kept)], type=kept)


def _parse(cell: str, kind: Any) -> Any:
    return pa.array([cell or None], pa.string()).cast(kind)[0].as_py()


def _arrow(column: Column, rows: slice) -> Any:
    if isinstance(column, Numbers):
        absent = None if column.missing is None else column.missing[rows]
        return pa.array(column.values[rows], mask=absent)
    codes = column.codes[rows]
    absent = codes < 0
    indices = pa.array(codes, mask=absent) if absent.any() else pa.array(codes)
    return pa.DictionaryArray.from_arrays(indices, pa.array(column.values, pa.string()))
