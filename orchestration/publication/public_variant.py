"""The public variant of a release, below `public/`: the same tables with what must be withheld taken out.

Belongs here: writing files. Does not: which cells are withheld (`suppression`).
"""

from __future__ import annotations

from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq

from orchestration.policy import Register
from orchestration.publication.suppression import public_tables

FOLDER = "public"


def write_public(made: Path, register: Register, year: int) -> None:
    """Write `public/` beside the internal tables in `made`."""
    folder = made / FOLDER
    folder.mkdir()
    for name, table in public_tables(made, register, year).items():
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
        pyarrow.csv.write_csv(table, folder / f"{name}.csv")
