"""Making a release: the year's tables, gathered aside, become `published/<year>/<release>/` in one step.

Belongs here: the order of writing, the manifest, `current`. Does not: what a table holds, and whether it may be
published (`auditing`).
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from orchestration.errors import InputError
from orchestration.files import private_folder, sha256_of, sync
from orchestration.intake.contracts import Contract, load_contracts
from orchestration.lineage.columns import column_lineage
from orchestration.lineage.models import load_models
from orchestration.lineage.rendering import rendered
from orchestration.policy import COLUMNS, Register
from orchestration.publication.auditing import audit
from orchestration.publication.code import LIST, write_code
from orchestration.publication.gathering import Gathered, gather
from orchestration.publication.public_variant import FOLDER as PUBLIC
from orchestration.publication.public_variant import write_public
from orchestration.publication.restating import CHANGES, write_changes
from orchestration.releases import CURRENT, MANIFEST, Release, in_force, newest, published, releases
from orchestration.settings import Settings

MANIFEST_VERSION = 1
SOFTWARE = ("dagster", "dbt-core", "dbt-duckdb", "duckdb", "great-expectations", "pandas", "pyarrow", "scipy")
"""Packages whose version may change a figure."""


@dataclass(frozen=True)
class Published:
    """The release in hand, and whether it was made now or stood already with the same content."""

    release: Release
    is_new: bool


def publish(year: int, source: str, stage: str, *, settings: Settings, register: Register) -> Published:
    """Publish the year's tables as the next release of its source and stage, and move `current` last.

    Where the newest release of that source and stage has the same content, it stands. Raises InputError when a table is
    missing, was made from tables that have changed since, did not pass its gate, or is empty where the stage does not
    allow it; what was published before stays.
    """
    gathered = gather(settings.home, year, source)
    gates = audit(gathered, stage, settings=settings, register=register)
    folder = private_folder(published(settings.home, year), settings.home)
    for left in folder.glob(".made-*"):  # by a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    before, official = newest(settings.home, year, source, stage), newest(settings.home, year, source, "official")
    name = f"{source}-{stage}-{before.number + 1 if before else 1:03d}"
    made = Path(tempfile.mkdtemp(prefix=".made-", dir=folder))
    try:
        _write_tables(made, gathered)
        _write_policy(made / "policy.csv", register)
        shutil.copyfile(settings.policy / "citations.csv", made / "citations.csv")
        _write_feeds(made / "feeds.json", load_contracts(settings.contracts), source)
        _write_lineage(made / "column_lineage.json", gathered, source)
        write_code(made)
        _keep_validation(made, gates)
        content = _content(made, gathered, stage, gates)
        if before and _made_from_the_same(before, content):
            done = Published(before, is_new=False)
        else:
            with ThreadPoolExecutor(1) as aside:  # comparing is DuckDB's work, the public variant Python's
                changes = aside.submit(write_changes, made, name, content, official, settings.home)
                write_public(made, register, year)
                changes.result()
            content["files"] = dict(sorted((content["files"] | _digests(made, PUBLIC)).items()))
            manifest = content | {
                "content_sha256": hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest(),
                "release": name,
                "previous": {"release": official.name, "sha256": official.sha256} if official else None,
                "changes": _digests(made, CHANGES),
            }
            done = Published(_commit(made, manifest, settings.home), is_new=True)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    _move_current(settings.home, year)
    return done


def _write_tables(made: Path, gathered: Gathered) -> None:
    for path in gathered.files:
        shutil.copyfile(path, made / path.name)


def _write_policy(path: Path, register: Register) -> None:
    """Every policy row as it was, so that two releases can be compared row by row."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(sorted([getattr(row, name) for name in COLUMNS] for row in register.rows))


def _write_feeds(path: Path, contracts: Mapping[str, Contract], source: str) -> None:
    """Indicator to the collections of the source that its figure is counted from."""
    own = {name: contract.feeds for name, contract in contracts.items() if contract.source == source}
    indicators = sorted({indicator for feeds in own.values() for indicator in feeds})
    found = {indicator: [name for name, feeds in own.items() if indicator in feeds] for indicator in indicators}
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _write_lineage(path: Path, gathered: Gathered, source: str) -> None:
    """Table to column to what it is made from, for the release's tables and every model behind them.

    The shape is {"table": {"column": [["upstream_table", "column"], ...]}}; a table that was not made is left out.
    """
    found = column_lineage(source)
    made = {name for name in found if name in gathered.tables or name in load_models()}
    kept = {name: columns for name, columns in sorted(found.items()) if name in made}
    path.write_text(rendered(kept), encoding="utf-8")


def _keep_validation(made: Path, gates: dict[str, Path]) -> None:
    """The report of each gate, beside the tables it let through."""
    for room, report in gates.items():
        (made / "validation").mkdir(exist_ok=True)
        for ending in ("json", "html"):
            shutil.copyfile(report / f"report.{ending}", made / "validation" / f"{room}.{ending}")


def _content(made: Path, gathered: Gathered, stage: str, gates: Iterable[str]) -> dict[str, Any]:
    """The manifest without what depends on earlier releases, and without the files of the public variant.

    Holds no clock and no name of a machine.
    """
    return {
        "manifest_version": MANIFEST_VERSION,
        "school_year": gathered.year,
        "source": gathered.source,
        "stage": stage,
        "inputs": gathered.inputs,
        "tables_read": gathered.tables_read,
        "earlier_releases": gathered.earlier_releases,
        "policy_sha256": sha256_of(made / "policy.csv"),
        "code": {"version": version("ma-accountability"), "sha256": sha256_of(made / LIST)},
        "software": {name: version(name) for name in SOFTWARE},
        "gates_passed": list(gates),
        "rows": gathered.rows,
        "files": _digests(made),
    }


def _digests(made: Path, below: str = "") -> dict[str, str]:
    """Each file of the release in the making, or of one of its folders, with its digest."""
    files = sorted(path for path in (made / below).rglob("*") if path.is_file())
    return {path.relative_to(made).as_posix(): sha256_of(path) for path in files}


def _made_from_the_same(release: Release, content: Mapping[str, Any]) -> bool:
    """Whether a release has this content. Its public variant follows from tables, policy and code."""
    files = {name: digest for name, digest in release.manifest["files"].items() if not name.startswith(f"{PUBLIC}/")}
    return all((release.manifest | {"files": files}).get(name) == value for name, value in content.items())


def _commit(made: Path, manifest: dict[str, Any], home: Path) -> Release:
    """Finish the folder and put it in its place: the rename is the commit."""
    (made / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for path in sorted(made.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o400)
        sync(path)
    made.chmod(0o700)
    target = published(home, manifest["school_year"]) / manifest["release"]
    if target.exists():
        raise InputError(f"{target}: is there without a manifest; move it away and run again")
    os.replace(made, target)
    sync(target.parent)
    return next(release for release in releases(home, manifest["school_year"]) if release.folder == target)


def _move_current(home: Path, year: int) -> None:
    """Point `current` at the release in force, in one step."""
    release = in_force(home, year)
    if release is None or release.is_current:
        return
    folder = published(home, year)
    link = folder / ".made-current"
    link.unlink(missing_ok=True)
    link.symlink_to(release.name)
    os.replace(link, folder / CURRENT)
    sync(folder)
