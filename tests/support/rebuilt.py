"""The dbt models run again in the database of a finished build: the same compiled SQL over changed staging rows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.indicators import building
from orchestration.indicators.dbt_running import RESULTS
from orchestration.lineage.models import load_models
from tests.support.workshop import Workshop

Rows = dict[tuple[Any, ...], tuple[Any, ...]]
KEYS = {
    "indicator_results": ("org_code", "gradespan", "student_group", "indicator"),
    "participation_results": ("org_code", "gradespan", "student_group", "subject"),
}
"""Table to the key of its rows; the organisation comes first."""


class Models:
    """A finished build of one year: its database, staging rows as tables, the other models in the order they ran."""

    def __init__(self, folder: Path):
        self.database = folder / "build.duckdb"
        ended = [r["unique_id"].split(".") for r in json.loads((folder / "target" / RESULTS).read_bytes())]
        models = [words[-1] for words in ended if words[0] == "model"]
        compiled = {path.stem: path for path in (folder / "target" / "compiled").rglob("*.sql")}
        staging = [name for name in models if "staging" in compiled[name].parts]
        unmoved = {*staging, *building.LEDGERS}  # ledgers copy their files, which go with the build too
        self.sql = {name: compiled[name].read_text() for name in models if name not in unmoved}
        self.kinds = {name: model.materialized.upper() for name, model in load_models().items()}
        with duckdb.connect(str(self.database)) as con:
            for name in staging:  # views over files that go with the build
                con.execute(f"CREATE TABLE kept_{name} AS SELECT * FROM {name}")
                con.execute(f"DROP VIEW {name}")
                con.execute(f"ALTER TABLE kept_{name} RENAME TO {name}")

    def run(self, change: Callable[[duckdb.DuckDBPyConnection], None], work: Path) -> duckdb.DuckDBPyConnection:
        """Every later model made again from changed staging rows, in a copy of the database."""
        copy = work / self.database.name  # the compiled SQL names the database
        shutil.copyfile(self.database, copy)
        con = duckdb.connect(str(copy))
        change(con)
        for name, sql in self.sql.items():
            con.execute(f"CREATE OR REPLACE {self.kinds[name]} {name} AS {sql}")
        return con


def kept_build(shop: Workshop, year: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Models:
    """Build a year and keep dbt's work folder."""
    run = building.run_dbt
    kept: list[Models] = []

    def run_and_keep(variables: Any, work: Path, selected: Any) -> None:
        run(variables, work, selected)
        shutil.copytree(work, folder)
        kept.append(Models(folder))  # while the files that its views read are there

    monkeypatch.setattr(building, "run_dbt", run_and_keep)
    building.build(year, "official", settings=shop.settings, contracts=shop.contracts, register=shop.register)
    return kept[0]


def rows_by_key(con: duckdb.DuckDBPyConnection) -> Rows:
    """Every row of both tables, whole, by its key and then the table's name."""
    found: Rows = {}
    for table, key in KEYS.items():
        columns = ", ".join(f"{table}.{name}" for name in key)
        rows = con.execute(f"SELECT {columns}, * FROM {table}").fetchall()
        by_key = {(*row[: len(key)], table): row[len(key) :] for row in rows}
        assert len(by_key) == len(rows) > 0
        found |= by_key
    return found
