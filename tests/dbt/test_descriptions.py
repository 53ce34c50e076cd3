"""Every model and every column of the built catalog is described, and nothing that does not exist."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from orchestration.indicators.describing import FOLDERS, MODELS, render
from orchestration.policy import load_register
from orchestration.settings import PROJECT
from tests.support.dbt_runs import Run
from tests.support.workshop import CONTRACTS

COLUMNS_LEFT_TO_THE_CONTRACT = "models/staging/hub/"


def models(built: Run) -> dict[str, dict[str, Any]]:
    nodes = built.read("manifest")["nodes"].values()
    return {node["name"]: node for node in nodes if node["resource_type"] == "model"}


def test_every_model_is_described(built: Run) -> None:
    found = models(built)
    assert len(found) > 40
    assert [name for name, node in found.items() if not node["description"].strip()] == []


def test_every_column_is_described_and_exists(built: Run) -> None:
    with duckdb.connect(str(built.database), read_only=True) as con:
        rows = con.execute("SELECT table_name, column_name FROM information_schema.columns").fetchall()
    described, catalog = set(), set()
    for name, node in models(built).items():
        if node["original_file_path"].startswith(COLUMNS_LEFT_TO_THE_CONTRACT):
            continue
        described |= {(name, column["name"]) for column in node["columns"].values() if column["description"].strip()}
        columns = {(table, column) for table, column in rows if table == name}
        assert columns, f"{name} was not built"
        catalog |= columns
    assert sorted(catalog - described) == [], "columns without a description"
    assert sorted(described - catalog) == [], "descriptions without a column"


@pytest.mark.parametrize("folder", FOLDERS)
def test_columns_that_are_passed_on_are_described_as_in_their_contract(folder: str) -> None:
    register = load_register(PROJECT / "dbt_project" / "seeds" / "policy")
    page = (MODELS / folder / "schema.yml").read_text(encoding="utf-8")
    assert page == render(MODELS / folder, CONTRACTS, register), "run `make docs`"
