"""Variables decide what is run, never what dbt reads of the models: a build uses what was read without them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestration.indicators.building import lags_of
from orchestration.indicators.dbt_running import DBT_PROJECT
from orchestration.policy import load_register
from orchestration.settings import Settings

MOMENTS = {"created_at"}


def read(folder: Path, variables: dict[str, Any]) -> dict[str, Any]:
    """Models, tests, seeds and macros as dbt reads them."""
    command = [
        *(str(Path(sys.executable).with_name("dbt")), "--log-path", str(folder), "parse"),
        *("--vars", json.dumps(variables)),
        *("--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT), "--target-path", str(folder)),
    ]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"DO_NOT_TRACK": "1"})
    content = json.loads((folder / "manifest.json").read_bytes())
    return {
        unique_id: {name: value for name, value in node.items() if name not in MOMENTS}
        for kind in ("nodes", "macros", "sources", "unit_tests")
        for unique_id, node in content[kind].items()
    }


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return read(tmp_path_factory.mktemp("without"), {})


@pytest.mark.parametrize(("year", "source"), [(2019, "hub"), (2025, "student")])
def test_variables_change_nothing_that_is_read(without: dict[str, Any], tmp_path: Path, year: int, source: str) -> None:
    given = {
        "school_year": year,
        "source": source,
        "lags": lags_of(load_register(Settings().policy)),
        "snapshots": {str(y): {"sims": ["a.parquet"], "hub_attendance": ["b.parquet"]} for y in (year, year - 1)},
    }
    assert len(without) > 100
    assert read(tmp_path, given) == without
