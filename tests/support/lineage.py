"""What a room really reads, written down while it reads, and what its lineage says that it reads.

Belongs here: listening in on the readers of Parquet. Does not: any expectation about a table.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from orchestration.lineage.columns import Lineage

Columns = dict[str, set[str]]
"""Table to columns."""


class Row(dict[str, object]):
    """A row that writes down which of its columns somebody asked for."""

    def __init__(self, row: Mapping[str, object], asked: set[str]):
        super().__init__(row)
        self.asked = asked

    def __getitem__(self, name: str) -> object:
        self.asked.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: object = None) -> object:
        if name in self:
            self.asked.add(name)
        return super().get(name, default)


def listen(patch: pytest.MonkeyPatch) -> Columns:
    """Table to the columns read from its Parquet file, filled as they are read; a table read whole has all of them."""
    read: Columns = {}
    real = pq.read_table

    def read_table(file: Path, *, columns: list[str] | None = None, **more: Any) -> Any:
        table = real(file, columns=columns, **more)
        read.setdefault(Path(file).stem, set()).update(columns or table.column_names)
        return table

    class ParquetFile(pq.ParquetFile):  # type: ignore[misc]
        """A file that is opened before it is read."""

        def read(self, columns: list[str], **more: Any) -> Any:
            read.setdefault(self.stem, set()).update(columns)
            return super().read(columns=columns, **more)

        def __init__(self, source: Path, **more: Any):
            super().__init__(source, **more)
            self.stem = Path(source).stem

    patch.setattr(pq, "read_table", read_table)
    patch.setattr(pq, "ParquetFile", ParquetFile)
    return read


def declared(lineage: Lineage, tables: Mapping[str, object], earlier: Collection[str] = ()) -> Columns:
    """Table to the columns of other rooms that go into `tables`; of `earlier` ones also those of their own past."""
    found: Columns = {}
    for table in tables:
        for pairs in lineage[table].values():
            for name, column in pairs:
                if name not in tables or (name == table and name in earlier):
                    found.setdefault(name, set()).add(column)
    return found
