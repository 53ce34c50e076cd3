"""The records behind a figure of a release: the models of that figure built again from the snapshots that it names.

Belongs here: who may ask, handing the snapshots to dbt aside, handing the database on. Does not: any rule, and what is
listed (`explanation/records.py`). Nothing of the home changes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import duckdb

from orchestration.automation.rebuilding import lay_out
from orchestration.errors import InputError
from orchestration.explanation.reading import Dossier
from orchestration.explanation.records import Figure, Listing, listing
from orchestration.files import private_folder, sha256_of
from orchestration.identifiers import key_path
from orchestration.indicators.building import YEARS_BACK, database_of
from orchestration.intake.contracts import Contract
from orchestration.intake.store import Snapshot, Store
from orchestration.policy import Register, rule_texts
from orchestration.settings import Settings

MEMORY = "3GB"
"""As for dbt (profiles.yml)."""


def records_behind(
    dossier: Dossier,
    figure: Figure,
    *,
    settings: Settings,
    contracts: Mapping[str, Contract],
    register: Register,
    limit: int | None = None,
) -> Listing:
    """The listing of a figure; at most `limit` students that counted and as many left out.

    Raises InputError when the home does not hold the student records that the release was made from, when one has
    other bytes than its manifest row says, or when the records do not give the figure.
    """
    home, release = settings.home, dossier.release
    if not key_path(home).is_file() or not (home / "snapshots").is_dir():
        raise InputError(f"{home}: holds no student records; --records works in the private home that made the release")
    with tempfile.TemporaryDirectory(dir=private_folder(home / "build", home)) as name:
        aside = settings.model_copy(update={"home": Path(name)})
        lay_out(release, home, aside.home)
        snapshots = _unchanged(release.year, Store(aside.home))
        with (
            database_of(
                release.year, release.stage, [figure.model], settings=aside, contracts=contracts, register=register
            ) as database,
            duckdb.connect(str(database), read_only=True, config={"memory_limit": MEMORY}) as con,
        ):
            return listing(
                con,
                figure,
                dossier,
                key=key_path(home).read_bytes(),
                register=register,
                sentences={rule: row["sentence"] for rule, row in rule_texts(settings.policy).items()},
                quarantined={snapshot.sha256: snapshot.quarantined for snapshot in snapshots},
                limit=limit,
            )


def _unchanged(year: int, store: Store) -> list[Snapshot]:
    """The snapshots that the figures of a year read. Raises InputError for one whose accepted rows were changed."""
    found = [snapshot for y in range(year - YEARS_BACK, year + 1) for snapshot in store.snapshots(y)]
    for snapshot in found:
        files = ((path, snapshot.files[path.name]) for path in store.accepted(snapshot))
        if not all(path.is_file() and sha256_of(path) == digest for path, digest in files):
            raise InputError(
                f"{snapshot.file}: its accepted rows (snapshot {snapshot.year}/{snapshot.collection}/{snapshot.name}) "
                "are missing or changed since the release; restore them from a backup"
            )
    return found
