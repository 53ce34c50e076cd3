"""One dbt build for every test of this folder, also where several processes share them."""

from __future__ import annotations

import fcntl
import json
import os

import pytest

from tests.support.dbt_runs import Run, build_empty


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Every model and every unit test, over empty deliveries."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, result = shared / "dbt", shared / "dbt.json"
    with (shared / "dbt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not result.exists():
            run = build_empty(folder)
            result.write_text(json.dumps([run.exit_code, run.output]))
    return Run(folder, *json.loads(result.read_text()))
