"""A home with the indicator tables of a made-up state, as the determination room finds them.

Belongs here: writing made-up inputs as tables, changing a table, building. Does not: what is made up in them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.determinations.building import Built, build
from orchestration.policy import load_register
from orchestration.settings import Settings
from orchestration.tables import folder_of, replacing
from tests.support.made_up_inputs import inputs

YEAR, SOURCE = 2025, "student"
CORRECTION = (
    *("school_year", "collection", "org_code", "field", "old_value", "new_value", "decided_by", "reason", "citation"),
    *("ledger_delivery", "ledger_row", "record_delivery", "record_row"),
)
WORKBOOK = {"school_year": pa.int32(), "org_code": pa.string()}


def _table(rows: Any, more: dict[str, Any]) -> pa.Table:
    """Rows of a NamedTuple or dataclass with further columns."""
    fields = [
        r._asdict() if hasattr(r, "_asdict") else {n: getattr(r, n) for n in r.__dataclass_fields__} for r in rows
    ]
    return pa.Table.from_pylist([field | more for field in fields])


def make_home(home: Path) -> Path:
    """Write the indicator tables of every year that the determinations of 2025 look at."""
    state = inputs(YEAR, seed=3, schools=60)
    for year in sorted({row.school_year for row in state.results}):
        results = [row for row in state.results if row.school_year == year]
        tables = {
            "indicator_results": _table(results, {"numerator": 1, "denominator": 2, "data_year": year}),
            "participation_results": _table(state.participation, {"school_year": year}),
            "organisations": _table(state.organisations.values(), {"school_year": year}),
            "designations": _table(state.designations, {}),
            "recognitions": _table(state.recognitions, {}),
            "published_targets": pa.schema(WORKBOOK.items()).empty_table(),
            "applied_corrections": pa.schema(
                [(name, pa.int32() if name.endswith(("year", "_row")) else pa.string()) for name in CORRECTION]
            ).empty_table(),
        }
        record = {"fingerprint": f"made up {year}", "rows": {}}
        with replacing(folder_of(home, "indicators", SOURCE, year), home, record) as folder:
            for name, table in tables.items():
                pq.write_table(table, folder / f"{name}.parquet")
    return home


def built(home: Path, policy: Path | None = None) -> Built:
    """The determinations of the year, brought up to date."""
    settings = Settings(home=home, policy=policy) if policy else Settings(home=home)
    return build(YEAR, SOURCE, settings=settings, register=load_register(settings.policy))


def change(home: Path, table: str, query: str) -> None:
    """Replace a table by what `query` says of `t`, and say that the tables are new."""
    folder = folder_of(home, "indicators", SOURCE, YEAR)
    file = folder / f"{table}.parquet"
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE t AS SELECT * FROM '{file}'")
        con.execute(f"COPY ({query}) TO '{file}' (FORMAT parquet)")
    renew(folder)


def renew(folder: Path) -> None:
    """Say that the tables in a folder are new."""
    record = json.loads((folder / "record.json").read_bytes())
    (folder / "record.json").write_text(json.dumps(record | {"fingerprint": f"{record['fingerprint']}, changed"}))
