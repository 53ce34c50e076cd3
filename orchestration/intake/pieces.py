"""Accepted rows in pieces: files of so many delivered rows each, so that a few can change without all being written.

Belongs here: which row lies in which piece, writing them, finding them. Does not: which rows are accepted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

from orchestration.intake.field_rules import text
from orchestration.intake.preparing import ROW

QUARANTINE = "quarantine.parquet"
"""File of the rows that were set aside, beside them."""
PIECE = 245_760
"""Numbers of delivered rows in a piece: two row groups, so that two processors write it."""


def piece_name(number: int) -> str:
    """File of the piece with this number, the first one 0."""
    return f"accepted-{number:03d}.parquet"


def accepted_names(files: Iterable[str]) -> list[str]:
    """Those of the files of a snapshot that hold accepted rows, in order of the rows; older ones have all in one."""
    return sorted(name for name in files if name.startswith("accepted"))


def in_pieces(accepted: Sequence[str]) -> bool:
    """Whether files of accepted rows are pieces; a snapshot of an older version has one file that is none."""
    return "accepted.parquet" not in accepted


def numbers_of(con: duckdb.DuckDBPyConnection, rows: str) -> list[int]:
    """The pieces that rows belong to: `rows` is a relation with row numbers."""
    found = con.execute(f"SELECT DISTINCT {ROW} // {PIECE} FROM {rows} ORDER BY 1").fetchall()
    return [number for (number,) in found]


def write_pieces(con: duckdb.DuckDBPyConnection, rows: str, folder: Path, numbers: Iterable[int]) -> None:
    """Write the pieces with these numbers of what the query `rows` gives, in the order of the delivery."""
    for number in numbers:
        within = f"{ROW} >= {number * PIECE} AND {ROW} < {(number + 1) * PIECE}"
        write_rows(con, f"SELECT * FROM ({rows}) AS r WHERE {within} ORDER BY {ROW}", folder / piece_name(number))


def write_rows(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """A Parquet file of a snapshot, the rows in the order of `query`.

    What DuckDB knows of them beforehand, such as that no value is missing, would decide how it writes; the same rows
    shall give the same bytes wherever they come from.
    """
    con.execute("SET disabled_optimizers = 'statistics_propagation'")
    con.execute(f"COPY ({query}) TO {text(path)} (FORMAT parquet, COMPRESSION zstd)")
    con.execute("RESET disabled_optimizers")


def read_files(files: Iterable[Path]) -> str:
    """The rows of Parquet files as a relation."""
    return f"read_parquet([{', '.join(map(text, files))}])"
