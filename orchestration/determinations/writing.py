"""The tables of the room as files: Parquet and CSV, a row group at a time.

Belongs here: files, row groups, the numbers of the steps. Does not: what stands in a row (`rendering`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from orchestration.determinations.determining import Determined
from orchestration.determinations.parts import in_order
from orchestration.determinations.reading import Inputs
from orchestration.determinations.rendering import (
    TABLES,
    TRACE,
    UNNUMBERED,
    Tables,
    concluded_tables,
    ranked_tables,
    scored_tables,
)
from orchestration.determinations.scoring import Scored

ROW_GROUP = 10_000
"""Rows are in the order of organisations: whoever reads one of them skips the other groups."""
ONLY_PARQUET = (TRACE,)
"""JSON inside CSV helps nobody; the trace is read by `explain`."""
Rows: TypeAlias = Mapping[str, Iterable[pa.Table]]
"""Name to the rows of scored organisations, part after part in the order of their codes."""


def write_tables(folder: Path, done: Determined, inputs: Inputs) -> dict[str, int]:
    """Write every table of what was determined at once: table to rows."""
    scored = Scored(done.targets, done.awards, done.columns, done.percentages, done.steps)
    late = ranked_tables(done, inputs) | concluded_tables(done, inputs) | {TRACE: UNNUMBERED.empty_table()}
    return write_parts(folder, {name: [t] for name, t in scored_tables(scored, inputs).items()}, lambda: late)


def write_parts(folder: Path, parts: Rows, concluding: Callable[[], Tables]) -> dict[str, int]:
    """Write every table: table to rows. A part at a time is in memory.

    `concluding` gives the tables that need all organisations, whose steps follow those of the parts. It is called while
    the parts are written by a second thread: Arrow does without Python's lock.
    """
    with ThreadPoolExecutor(1) as beside:
        written = {name: beside.submit(_write, folder, name, parts[name]) for name in parts if name != TRACE}
        late = concluding()
        rows = {TRACE: _write(folder, TRACE, _numbered(parts[TRACE], late[TRACE]))}
        rows |= {name: _write(folder, name, [table]) for name, table in late.items() if name != TRACE}
        rows |= {name: count.result() for name, count in written.items()}
    return {name: rows[name] for name in TABLES}


def _write(folder: Path, name: str, tables: Iterable[pa.Table]) -> int:
    """One table: number of rows. A row group is written while the next one is put together."""
    schema, count = pa.schema(TABLES[name].items()), 0
    with ExitStack() as open_files, ThreadPoolExecutor(1) as beside:
        writers: list[Any] = [
            open_files.enter_context(pq.ParquetWriter(folder / f"{name}.parquet", schema, compression="zstd"))
        ]
        if name not in ONLY_PARQUET:
            writers.append(open_files.enter_context(pyarrow.csv.CSVWriter(folder / f"{name}.csv", schema)))
        written: list[Future[None]] = []
        for group in _groups(tables, schema):
            for before in written:
                before.result()
            written = [beside.submit(writer.write_table, group) for writer in writers]
            count += group.num_rows
        for last in written:
            last.result()
    return count


def _groups(tables: Iterable[pa.Table], schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows anew in tables of just a row group, the last one smaller."""
    waiting = schema.empty_table()
    for table in tables:
        waiting = pa.concat_tables([waiting, table.cast(schema)])
        while waiting.num_rows >= ROW_GROUP:
            yield waiting.slice(0, ROW_GROUP).combine_chunks()
            waiting = waiting.slice(ROW_GROUP)
    if waiting.num_rows:
        yield waiting.combine_chunks()


def _numbered(parts: Iterable[pa.Table], late: pa.Table) -> Iterator[pa.Table]:
    """Each part with the late steps of its organisations behind their own, numbered within the organisation."""
    late = in_order(late)
    codes, done = late.column("org_code").to_pylist(), 0
    for part in parts:
        if part.num_rows:
            end = bisect_right(codes, part.column("org_code")[-1].as_py())
            yield _with_numbers(in_order(part, late.slice(done, end - done)))
            done = end
    if done < len(codes):
        yield _with_numbers(late.slice(done))


def _with_numbers(steps: pa.Table) -> pa.Table:
    of = steps.column("org_code").combine_chunks().dictionary_encode().indices.to_numpy()
    counts = np.bincount(of)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    numbers = pa.array(np.arange(len(of)) - first + 1, TABLES[TRACE]["step"])
    return steps.add_column(list(TABLES[TRACE]).index("step"), "step", numbers)
