"""dbt over empty deliveries: what tests of the dbt project itself run, with nothing written into the project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration.indicators.cataloguing import empty_variables
from orchestration.indicators.dbt_running import DBT_PROJECT
from tests.support.workshop import CONTRACTS, YEAR


@dataclass(frozen=True)
class Run:
    """A finished invocation of dbt; its database and its files are in `folder`."""

    folder: Path
    exit_code: int
    output: str

    @property
    def database(self) -> Path:
        return self.folder / "build.duckdb"

    def read(self, name: str) -> dict[str, Any]:
        """A file that dbt wrote: manifest or run_results."""
        content: dict[str, Any] = json.loads((self.folder / "target" / f"{name}.json").read_bytes())
        return content

    def statuses(self, kind: str) -> dict[str, str]:
        """`model.name` -> status of the nodes of one kind that ran."""
        results = [(r["unique_id"].split("."), r["status"]) for r in self.read("run_results")["results"]]
        return {".".join(words[2:]): status for words, status in results if words[0] == kind}


def build_empty(folder: Path, *arguments: str, project: Path = DBT_PROJECT) -> Run:
    """`dbt build` with unit tests and without data tests, over collections of which nothing was delivered."""
    folder.mkdir()
    variables = empty_variables(YEAR, CONTRACTS, folder)
    command = [
        *(str(Path(sys.executable).with_name("dbt")), "--no-use-colors", "--log-path", str(folder / "logs"), "build"),
        *("--project-dir", str(project), "--profiles-dir", str(project), "--target-path", str(folder / "target")),
        *("--vars", json.dumps(variables), "--exclude-resource-type", "test", *arguments),
    ]
    environment = os.environ | {
        "ACCOUNTABILITY_BUILD_FILE": str(folder / "build.duckdb"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return Run(folder, done.returncode, done.stdout + done.stderr)
