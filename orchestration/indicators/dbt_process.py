"""One dbt build, in a process of its own: dbt keeps state between the builds of one process.

    python -m orchestration.indicators.dbt_process PROJECT READ DATABASE VARIABLES TARGET ARGUMENT…

The models are read first, as they are for every year and source, and then built with VARIABLES (JSON). dbt keeps what
it read in the folder READ and reads nothing again that has not changed; given together with the variables, which differ
each time, it would read everything anew, for ten seconds. That variables decide only what is run and never what is
read is held by a test (tests/dbt).

Ends with 0 once everything is built and every test has passed, 1 if not.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

DATABASE_VARIABLE = "ACCOUNTABILITY_BUILD_FILE"
"""Environment variable from which profiles.yml takes the database's path."""


def main(project: str, read: str, database: str, variables: str, target: str, *arguments: str) -> int:
    """Read the models of `project`, then run `dbt build` into `database`."""
    common = ["--quiet", "--no-use-colors", "--log-level-file", "none"]
    places = ["--project-dir", project, "--profiles-dir", project, "--log-path", target]
    os.environ[DATABASE_VARIABLE] = Path(database).name  # relations have its name in theirs, not its folder
    models = dbtRunner().invoke([*common, "--no-write-json", "parse", *places, "--target-path", read])
    if not isinstance(models.result, Manifest):
        return 1
    os.environ[DATABASE_VARIABLE] = database
    build = ["build", *places, "--target-path", target, "--vars", variables, *arguments]
    return 0 if dbtRunner(manifest=models.result).invoke([*common, *build]).success else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
