"""One dbt build, in a process of its own: dbt keeps state between the builds of one process.

    python -m orchestration.indicators.dbt_process PROJECT READ < ORDER

ORDER is JSON: database, variables, target (a folder), arguments. The models are read first, as they are for every year
and source, while the order may not be there yet; then they are built with its variables. dbt keeps what it read in the
folder READ and reads nothing again that has not changed; given together with the variables, which differ each time, it
would read everything anew, for ten seconds. That variables decide only what is run and never what is read is held by a
test (tests/dbt).

Ends with 0 once everything is built and every test has passed, else with 1; without an order nothing is built. How each
model and test ended lies in the target folder then; dbt writes what it knows of the project only when asked.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from dbt.artifacts.schemas.results import NodeResult
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from orchestration.indicators.dbt_running import DATABASE, RESULTS, WITH_MANIFEST
from orchestration.processes import end_at_once, give_way

DATABASE_VARIABLE = "ACCOUNTABILITY_BUILD_FILE"
"""Environment variable from which profiles.yml takes the database's path."""


def main(project: str, read: str) -> int:
    """Read the models of `project`, then run `dbt build` as the order on standard input says."""
    give_way()
    common = ["--log-level", "none", "--log-level-file", "none"]
    places = ["--project-dir", project, "--profiles-dir", project]
    os.environ[DATABASE_VARIABLE] = DATABASE  # its name is part of every relation, its folder is not
    parse = ["--no-write-json", "parse", *places, "--target-path", read, "--log-path", read]
    models = dbtRunner().invoke([*common, *parse])
    given = sys.stdin.read()
    if not given or not isinstance(models.result, Manifest):
        return 1
    order = json.loads(given)
    os.environ[DATABASE_VARIABLE] = order["database"]
    if Path(order["database"]).name != DATABASE:
        raise ValueError(f"the models were read for a database named {DATABASE}")
    into = ["--target-path", order["target"], "--log-path", order["target"]]
    build = ["build", *places, *into, "--vars", json.dumps(order["variables"]), *order["arguments"]]
    quick = [] if WITH_MANIFEST in order["arguments"] else ["--no-write-json"]
    done = dbtRunner(manifest=models.result).invoke([*common, *quick, *build])
    if isinstance(done.result, RunExecutionResult):
        told = [_told(result) for result in done.result.results]
        (Path(order["target"]) / RESULTS).write_text(json.dumps(told), encoding="utf-8")
    return 0 if done.success else 1


def _told(result: NodeResult) -> dict[str, Any]:
    """How one model or test ended, of which the message may quote data."""
    ended = {"status": str(result.status), "message": result.message, "failures": result.failures}
    return {"unique_id": result.node.unique_id, **ended}


if __name__ == "__main__":
    end_at_once(main(*sys.argv[1:]))
