"""DuckDB in memory: a connection that spills only where it may.

By itself DuckDB writes what does not fit into memory to `.tmp` in the folder where the program was started: student
records, and whoever may read that folder could read them.
"""

from __future__ import annotations

from pathlib import Path

import duckdb


def connect(spill: Path | None = None, **settings: str | int) -> duckdb.DuckDBPyConnection:
    """An empty database. What does not fit into memory goes into `spill`, a folder of the private home; without one the
    query fails instead (duckdb.OutOfMemoryException). `settings`: those of DuckDB, such as `memory_limit`."""
    return duckdb.connect(config={"temp_directory": str(spill or ""), **settings})
