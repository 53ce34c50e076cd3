"""One dbt build of one school year: which files go in, where the tables come out.

Belongs here: handing over and taking back. Does not: any rule; those are models in ``dbt_project``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import duckdb

from orchestration.errors import InputError
from orchestration.files import private_folder
from orchestration.intake.contracts import Contract
from orchestration.intake.store import Store
from orchestration.intake.validating import write_empty
from orchestration.policy import Register
from orchestration.settings import PROJECT, Settings

DBT_PROJECT = PROJECT / "dbt_project"
TABLES = ("indicator_results",)


def build(
    year: int, stage: str, *, settings: Settings, contracts: Mapping[str, Contract], register: Register
) -> dict[str, int]:
    """Build the indicator tables of `year` and put them in their place: table -> rows.

    The tables are built aside, in a database of their own, and exported as Parquet and CSV to
    `<home>/tables/<year>/`, which changes in one step once every dbt test has passed. Raises InputError naming the
    model or test that failed; what was there before stays.
    """
    if not Store(settings.home).in_force(year, "organisations", stage):
        raise InputError(f"{settings.home}: nothing of {year} is in force; run the intake of that year first")
    with tempfile.TemporaryDirectory(dir=private_folder(settings.home / "build", settings.home)) as folder:
        work = Path(folder)
        variables = {
            "school_year": year,
            "lags": {row.parameter: int(row.value) for row in register.rows if row.rule_id == "data_lag"},
            "snapshots": {
                str(y): _accepted_files(y, stage, settings, contracts, work) for y in range(year - 1, year + 1)
            },
        }
        _run_dbt(variables, work)
        return _export(work, private_folder(settings.home / "tables", settings.home) / str(year))


def _accepted_files(
    year: int, stage: str, settings: Settings, contracts: Mapping[str, Contract], work: Path
) -> dict[str, list[str]]:
    """Collection -> accepted Parquet files in force; a collection with none gets an empty file of the right columns."""
    store = Store(settings.home)
    files: dict[str, list[str]] = {}
    for name, contract in contracts.items():
        snapshots = store.in_force(year, name, stage).values()
        files[name] = [str(store.folder(s) / "accepted.parquet") for s in snapshots]
        if not files[name] and contract.source == "student":
            empty = work / f"{name}.parquet"
            write_empty(contract, empty)
            files[name] = [str(empty)]
    return files


def _run_dbt(variables: Mapping[str, object], work: Path) -> None:
    """dbt build in a process of its own: dbt keeps state between invocations of one process."""
    command = [
        *(str(Path(sys.executable).with_name("dbt")), "--no-use-colors", "--log-path", str(work / "logs"), "build"),
        *("--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)),
        *("--target-path", str(work / "target"), "--vars", json.dumps(variables), "--quiet"),
    ]
    places = {"ACCOUNTABILITY_BUILD_FILE": str(work / "build.duckdb")}
    quiet = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}
    done = subprocess.run(command, env=os.environ | places | quiet, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise InputError(f"dbt build of {variables['school_year']}: {_failures(work / 'target')}; nothing was replaced")


def _failures(target: Path) -> str:
    """Models and tests that did not pass, by name. Their messages may quote data and stay in the work folder."""
    results = target / "run_results.json"
    if not results.exists():
        return "dbt could not start; run `dbt parse --project-dir dbt_project --profiles-dir dbt_project`"
    nodes = json.loads(results.read_bytes())["results"]
    failed = [n for n in nodes if n["status"] in ("error", "fail")]
    return ", ".join(f"{n['unique_id'].split('.', 1)[1]} {n['status']} ({n['failures'] or 0} rows)" for n in failed)


def _export(work: Path, target: Path) -> dict[str, int]:
    """Write the tables in a fixed order of rows, then point `target` at them in one atomic step."""
    made = Path(tempfile.mkdtemp(prefix=".made-", dir=target.parent))
    rows = {}
    with duckdb.connect(str(work / "build.duckdb"), read_only=True) as con:
        for table in TABLES:
            query = f"SELECT * FROM {table} ORDER BY ALL"
            for ending, form in (("parquet", "FORMAT parquet, COMPRESSION zstd"), ("csv", "FORMAT csv, HEADER")):
                con.execute(f"COPY ({query}) TO '{made / f'{table}.{ending}'}' ({form})")
            rows[table] = int(con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])
    old = target.resolve() if target.is_symlink() else None
    link = made.with_name(f"{made.name}.link")
    link.symlink_to(made.name)
    os.replace(link, target)
    if old:
        shutil.rmtree(old, ignore_errors=True)
    return rows
