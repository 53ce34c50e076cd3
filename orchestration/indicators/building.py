"""One dbt build of one school year: which files go in, where the tables come out.

Belongs here: handing over and taking back. Does not: any rule; those are models in ``dbt_project``.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import yaml

from orchestration.errors import InputError
from orchestration.files import private_folder, sha256_of
from orchestration.indicators import correcting
from orchestration.indicators.correcting import APPLIED, correct, write_applied
from orchestration.indicators.dbt_running import (
    DATABASE,
    DBT_PROJECT,
    OF_DBT,
    RECORDS,
    WITH_MANIFEST,
    WITHOUT_RECORDS,
    WITHOUT_TESTS,
    run_dbt,
)
from orchestration.indicators.last_build import last_build, standing
from orchestration.indicators.versioning import ENGINE, data_versions
from orchestration.intake.contracts import Contract
from orchestration.intake.store import Snapshot, Store
from orchestration.intake.validating import write_empty
from orchestration.lineage.models import Model, models_of
from orchestration.policy import Register
from orchestration.processes import loading
from orchestration.settings import Settings
from orchestration.tables import Basis, Built, Changes, folder_of, record_of, replacing

LEDGERS = ("designations", "recognitions", "published_targets", "assistance_staff", "assistance_plans")
MODELS = ("indicator_results", "participation_results", "organisations", *LEDGERS)
"""Tables that dbt makes."""
TABLES = (*MODELS, APPLIED)
SOURCES_READ = ("ledger",)
"""Kinds of collections that a build of either source reads besides its own."""
PARQUET = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480"
"""Rows are in the order of organisations: whoever reads one of them skips the other groups."""
ROOM = "indicators"
NO_RULES = {"unit_tests", RECORDS, *OF_DBT}
"""Folders of the dbt project that decide nothing about a table."""
LOADED_LATER = ("pandas", "openpyxl", "scipy.optimize")
"""Libraries that the steps after this one load, for half a second, while this process only waits for dbt."""
AT_A_TIME = 2
"""Tables that are written at a time: most of one is written by one thread."""
YEARS_BACK = 2
"""Deliveries of this many earlier years are handed over too: extended engagement lies two years behind."""


Used = Mapping[int, Mapping[str, tuple[Snapshot, ...]]]
"""School year to collection to its deliveries in force."""
HandedOver = Mapping[str, Mapping[str, Sequence[str]]]
"""School year to collection to the Parquet files of its rows."""


@dataclass(frozen=True)
class BuiltModels(Built):
    """Tables of the room. `models`: rows of the dbt models of the source that have some, handed on or not.

    `versions`: of the data of each table and model. `made`: tables, and models that did not stand from the last build.
    """

    models: dict[str, int]
    versions: dict[str, str]
    made: frozenset[str] = frozenset()


def build(
    year: int,
    stage: str,
    *,
    source: str = "student",
    settings: Settings,
    contracts: Mapping[str, Contract],
    register: Register,
) -> BuiltModels:
    """Bring the indicator tables of `year` from `source` ('student' or 'hub') up to date.

    The tables are built aside, in a database of their own, and exported as Parquet and CSV to
    `<home>/tables/indicators/<source>/<year>/`, which changes in one step once every dbt test has passed. With the same
    deliveries and the same rules as last time nothing is made; with other deliveries, only the models that they reach
    (`last_build`). Raises InputError naming the model or test that failed; what was there before stays.
    """
    store = Store(settings.home)
    used = _in_force(year, stage, source, store, contracts)
    inputs = _inputs(used)
    basis = _basis(year, source, inputs, register)
    versions = data_versions(year, source, inputs, lags_of(register), [_given(register, year)])
    folder = folder_of(settings.home, ROOM, source, year)
    record = record_of(folder)
    why = basis.since(record)
    if record and not why:
        return BuiltModels(folder, record["rows"], basis.fingerprint, why, record.get("models", {}), versions)
    with last_build(settings.home, source, year, basis.rules) as last:
        files, applied = _handed_over(year, used, store, contracts, register, last.folder)
        now = standing(models_of(source), versions, files, year, lags_of(register))
        if changed := last.changed(now):
            only = ("--select", *changed) if last.versions else WITHOUT_RECORDS
            with loading(LOADED_LATER):
                run_dbt(_variables(year, source, files, register), last.folder, only)
        last.versions = now
        made: dict[str, Any] = {**basis.record(), "inputs": inputs}
        with replacing(folder, settings.home, made) as new:
            made["rows"] = rows = {**_export(last.folder, new), APPLIED: write_applied(applied, new)}
            made["models"] = models = _counts(last.folder, models_of(source))
    return BuiltModels(folder, rows, basis.fingerprint, why, models, versions, frozenset({*changed, *TABLES}))


def outdated(
    year: int, stage: str, source: str, *, settings: Settings, contracts: Mapping[str, Contract], register: Register
) -> Changes:
    """Why `build` would make the tables of `year` anew; nothing if it would not. Raises InputError as `build` does."""
    used = _in_force(year, stage, source, Store(settings.home), contracts)
    basis = _basis(year, source, _inputs(used), register)
    return basis.since(record_of(folder_of(settings.home, ROOM, source, year)))


@contextmanager
def database_of(
    year: int,
    stage: str,
    models: Sequence[str],
    *,
    settings: Settings,
    contracts: Mapping[str, Contract],
    register: Register,
) -> Iterator[Path]:
    """A database of the student source with `models` (those of the folder records too) and all that they are made from.

    It lies in the private home while the block runs and is removed afterwards. No table of the year changes.
    """
    store = Store(settings.home)
    used = _in_force(year, stage, "student", store, contracts)
    with _work_folder(settings.home) as work:
        files, _ = _handed_over(year, used, store, contracts, register, work)
        variables = _variables(year, "student", files, register)
        run_dbt(variables, work, (*WITHOUT_TESTS, "--select", *(f"+{model}" for model in models)))
        yield work / DATABASE


def build_models(variables: Mapping[str, object], work: Path) -> Path:
    """Every model over what `variables` hand over, without a test of the data: the database, in `work`; beside it lies
    all that dbt knows of the project."""
    run_dbt(variables, work, (*WITHOUT_TESTS, *WITHOUT_RECORDS, WITH_MANIFEST))
    return work / DATABASE


@contextmanager
def _work_folder(home: Path) -> Iterator[Path]:
    """Scratch inside the home, since student records pass through it."""
    with tempfile.TemporaryDirectory(dir=private_folder(home / "build", home)) as scratch:
        yield Path(scratch)


def _in_force(year: int, stage: str, source: str, store: Store, contracts: Mapping[str, Contract]) -> Used:
    """The deliveries that a build reads. Raises InputError when nothing of the year itself is in force."""
    names = [name for name, contract in contracts.items() if contract.source in (source, *SOURCES_READ)]
    used = {
        y: {name: tuple(store.in_force(y, name, stage).values()) for name in names}
        for y in range(year - YEARS_BACK, year + 1)
    }
    if not any(used[year][name] for name in names if contracts[name].source == source):
        raise InputError(f"{store.home}: nothing of {year} is in force; run the intake of that year first")
    return used


def _handed_over(
    year: int, used: Used, store: Store, contracts: Mapping[str, Contract], register: Register, work: Path
) -> tuple[HandedOver, list[tuple[Any, ...]]]:
    """The accepted files, corrected, that the models read; and the corrections that were applied."""
    empty = {name: _empty(contract, work) for name, contract in contracts.items()}
    accepted = {
        y: {name: _accepted(snapshots, store) for name, snapshots in of_year.items() if snapshots}
        for y, of_year in used.items()
    }
    applied = []
    for y, files in accepted.items():
        copies, changes = correct(y, files, contracts, _day_of_decisions(register, year), work)
        files |= copies
        applied += changes
    return {str(y): empty | files for y, files in accepted.items()}, applied


def _variables(year: int, source: str, files: HandedOver, register: Register) -> dict[str, object]:
    """What dbt is told."""
    return {"school_year": year, "source": source, "lags": lags_of(register), "snapshots": files}


def lags_of(register: Register) -> dict[str, int]:
    """Collection to the years that its delivery lies behind the determination."""
    return {row.parameter: int(row.value) for row in register.rows if row.rule_id == "data_lag"}


def _day_of_decisions(register: Register, year: int) -> date | None:
    """The day on which designations and corrections have to be in force; None in a year without determinations."""
    row = register.find(year, "designation", "in_force_on")
    return date.fromisoformat(row.value) if row else None


def _inputs(used: Used) -> list[dict[str, Any]]:
    """The deliveries that a build reads, one entry each."""
    return [_input(snapshot) for of_year in used.values() for snapshots in of_year.values() for snapshot in snapshots]


def _input(snapshot: Snapshot) -> dict[str, Any]:
    """One delivery that a build reads; `accepted` is the digest of its accepted rows."""
    return {
        **{name: getattr(snapshot, name) for name in ("year", "collection", "part", "stage", "file", "sha256")},
        "accepted": snapshot.accepted_sha256,
    }


def _accepted(snapshots: tuple[Snapshot, ...], store: Store) -> list[str]:
    return [str(path) for snapshot in snapshots for path in store.accepted(snapshot)]


def _empty(contract: Contract, work: Path) -> list[str]:
    """A collection of which nothing was delivered: a file of no rows, so that no model has to ask."""
    path = work / f"{contract.collection}-{contract.version[:16]}.parquet"
    if not path.exists():  # there from the last build
        write_empty(contract, path)
    return [str(path)]


def _basis(year: int, source: str, inputs: list[dict[str, Any]], register: Register) -> Basis:
    """Everything that the tables depend on: accepted rows, models, what of the policy is handed over, engine."""
    rows = {f"{i['year']} {i['collection']} {i['part']}".strip(): str(i["accepted"]) for i in inputs}
    rules = {file.relative_to(DBT_PROJECT).as_posix(): sha256_of(file) for file in _rules()}
    engine = {name: version(name) for name in ENGINE}
    code = {Path(correcting.__file__).name: sha256_of(Path(correcting.__file__))}
    return Basis(ROOM, year, source, rows, rules | _given(register, year) | engine | code)


def _given(register: Register, year: int) -> dict[str, str]:
    """What of the policy is handed over besides the seeds."""
    lags, day = lags_of(register), _day_of_decisions(register, year)
    return {"data_lag": json.dumps(lags, sort_keys=True), "designation.in_force_on": str(day)}


def _rules() -> Iterator[Path]:
    """Files that decide what dbt builds; of the policy register only the seeds that dbt loads."""
    project = DBT_PROJECT / "dbt_project.yml"
    loaded = yaml.safe_load(project.read_bytes())["seeds"]["accountability"]["policy"]
    for path in sorted(DBT_PROJECT.rglob("*")):
        if path.suffix not in (".sql", ".yml", ".csv") or not NO_RULES.isdisjoint(path.relative_to(DBT_PROJECT).parts):
            continue
        if path.parent.name != "policy" or path.stem in loaded:
            yield path


def _export(work: Path, folder: Path) -> dict[str, int]:
    """Write each table as Parquet and CSV, in a fixed order of rows: table -> rows."""
    with duckdb.connect(str(work / DATABASE), read_only=True) as con, ThreadPoolExecutor(AT_A_TIME) as aside:
        counts = aside.map(lambda table: _write(con.cursor(), table, folder), MODELS)
        return dict(zip(MODELS, counts, strict=True))


def _write(con: duckdb.DuckDBPyConnection, table: str, folder: Path) -> int:
    con.execute(f"CREATE TEMP TABLE in_order AS SELECT * FROM {table} ORDER BY ALL")  # seen by this cursor alone
    for ending, form in (("parquet", PARQUET), ("csv", "FORMAT csv, HEADER")):
        con.execute(f"COPY in_order TO $to ({form})", {"to": str(folder / f"{table}.{ending}")})
    return _count(con, "in_order")


def _counts(work: Path, models: Mapping[str, Model]) -> dict[str, int]:
    """Rows of each model that has some: a table, or files that are passed on, of which the count is read without the
    rows. Those of another view would have to be made to be counted."""
    with duckdb.connect(str(work / DATABASE), read_only=True) as con:
        return {
            name: _count(con, name) for name, model in models.items() if model.reads or model.materialized != "view"
        }


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])
