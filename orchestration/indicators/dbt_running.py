"""Running dbt: a process reads the models, and builds when it is told with what.

Belongs here: the process, what it is told, which models and tests failed. Does not: what is handed over (`building`).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orchestration.errors import InputError
from orchestration.files import sha256_of
from orchestration.settings import PROJECT

DBT_PROJECT = PROJECT / "dbt_project"
DBT_PROCESS = "orchestration.indicators.dbt_process"
"""By name: importing dbt takes two seconds, which only that process should spend."""
DATABASE = "build.duckdb"
RESULTS = "results.json"
"""In the target folder: how each model and test of the last build ended, in the order in which they did."""
RECORDS = "records"
"""Folder of models that list the rows behind a figure; no table is made from them."""
WITH_MANIFEST = "--write-json"
"""What dbt knows of the project goes into the target folder too: a quarter of a second."""
WITHOUT_RECORDS = ("--exclude", f"path:models/{RECORDS}")
WITHOUT_TESTS = ("--exclude-resource-type", "test")
WITHOUT_UNIT_TESTS = ("--exclude-resource-type", "unit_test")
"""They test the models, not the data; `make test` runs them."""
_CONSTRAINT = re.compile(r"(NOT NULL|CHECK) constraint failed.*")
"""What DuckDB says of a row that breaks a model's contract: the column or the condition, no value."""
OF_DBT = {"target", "logs"}
"""Folders that dbt writes into its project."""


class _Dbt:
    """A process that has begun to read the models, and builds once. It ends by itself when this one is no more."""

    def __init__(self) -> None:
        self._own = tempfile.TemporaryDirectory()
        read = _kept_reading() if os.access(DBT_PROJECT, os.W_OK) else Path(self._own.name)
        quiet = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}
        self._process = subprocess.Popen(  # noqa: S603 - this project's own module
            [sys.executable, "-m", DBT_PROCESS, str(DBT_PROJECT), str(read)],
            cwd=PROJECT,
            env=os.environ | quiet,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,  # messages may quote data
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def build(self, database: Path, variables: Mapping[str, object], target: Path, arguments: Sequence[str]) -> bool:
        """Whether everything was built and every test passed."""
        order = {"database": str(database), "variables": variables, "target": str(target), "arguments": arguments}
        try:
            self._process.communicate(json.dumps(order))
        finally:
            self.close()
        return self._process.returncode == 0

    def close(self) -> None:
        """End the process, were it in the middle of something."""
        self._process.kill()
        self._process.communicate()
        self._own.cleanup()


_ahead: list[_Dbt] = []
"""The process that reads the models already, if there is one."""


@contextmanager
def reading_ahead() -> Iterator[None]:
    """Let dbt read the models while the block does what comes before the build; the next build takes it over."""
    if not _ahead:
        _ahead.append(_Dbt())
    try:
        yield
    finally:
        while _ahead:
            _ahead.pop().close()


def run_dbt(variables: Mapping[str, object], work: Path, selected: Sequence[str] = WITHOUT_RECORDS) -> None:
    """One dbt build into `work`. Raises InputError naming the models and tests that failed."""
    dbt, target = _ahead.pop() if _ahead else _Dbt(), work / "target"
    if not dbt.build(work / DATABASE, variables, target, (*WITHOUT_UNIT_TESTS, *selected)):
        raise InputError(f"dbt build of {variables['school_year']}: {_failures(target)}; nothing was replaced")


def _kept_reading() -> Path:
    """Where dbt keeps what it read of the models: code and no data.

    A folder for each state of the project, so that dbt never has to find out which file has changed.
    """
    files = sorted(path.relative_to(DBT_PROJECT) for path in DBT_PROJECT.rglob("*.*"))
    state = "".join(f"{path} {sha256_of(DBT_PROJECT / path)}\n" for path in files if OF_DBT.isdisjoint(path.parts))
    return DBT_PROJECT / "target" / "read" / hashlib.sha256(state.encode()).hexdigest()[:16]


def _failures(target: Path) -> str:
    """Models and tests that did not pass, by name. Their messages may quote data and stay in the work folder, but for
    one that names the constraint which a row breaks."""
    results = target / RESULTS
    nodes = json.loads(results.read_bytes()) if results.exists() else []
    failed = ", ".join(_failure(node) for node in nodes if node["status"] in ("error", "fail"))
    return failed or "dbt could not start; run `dbt parse --project-dir dbt_project --profiles-dir dbt_project`"


def _failure(node: Mapping[str, Any]) -> str:
    name, broken = node["unique_id"].split(".", 1)[1], _CONSTRAINT.search(str(node["message"]))
    rows = f"{node['failures'] or 0} rows"
    return f"{name} {node['status']} ({broken[0] if broken else rows})"
