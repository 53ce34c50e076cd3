"""What a gate looks at: which tables of which year lie where, and what of it has changed since it was last validated.

Belongs here: files of tables, of snapshots in force, and of a year before; their digests. Does not: what is
expected of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from orchestration.files import sha256_of
from orchestration.intake.store import Snapshot, Store
from orchestration.settings import Settings
from orchestration.tables import folder_of
from orchestration.validation.frames import PRIOR

RAW = "raw_"
"""Prefix of a collection's snapshots in force, as a table."""
SNAPSHOTS = "raw_collections"
SNAPSHOT_COLUMNS = ("collection", "part", "stage", "file", "kind", "delivered", "accepted", "quarantined")
"""The table of snapshots in force: a row a delivery; `kind` is student, hub or ledger."""


@dataclass(frozen=True)
class Inputs:
    """Tables by name with their files, `prior_<table>` those of the year before; and the snapshots in force."""

    files: dict[str, list[Path]]
    snapshots: dict[str, list[Snapshot]]
    kinds: dict[str, str]
    private: frozenset[str]

    def digests(self) -> dict[str, list[str]]:
        """Table to the digests of its files. A file that cannot be read has the digest 'none'."""
        found = {name: [sha256_of(p) if p.is_file() else "none" for p in paths] for name, paths in self.files.items()}
        return found | {name: [str(sorted(s.files.items())) for s in rows] for name, rows in self.snapshots.items()}

    def snapshot_rows(self, name: str) -> list[tuple[object, ...]]:
        """Rows of the table of snapshots."""
        return [
            (s.collection, s.part, s.stage, s.file, self.kinds[s.collection], s.rows, s.accepted, s.quarantined)
            for s in self.snapshots[name]
        ]


def tables_of(rooms: tuple[str, ...], year: int, source: str, settings: Settings) -> Inputs:
    """Every table of the rooms that there is, of the year and of the year before."""
    files: dict[str, list[Path]] = {}
    for prefix, y in (("", year), (PRIOR, year - 1)):
        for room in rooms:
            folder = folder_of(settings.home, room, source, y)
            files |= {f"{prefix}{path.stem}": [path] for path in sorted(folder.glob("*.parquet"))}
    return Inputs(files, {}, {}, frozenset())


def snapshots_of(year: int, source: str, stage: str, settings: Settings) -> Inputs:
    """The snapshots in force of the year and of the year before, ledgers too."""
    contracts = read_contracts(settings)
    kinds = {name: c["source"] for name, c in contracts.items() if c["source"] in (source, "ledger")}
    private = {f for name in kinds for f, field in contracts[name]["fields"].items() if (field or {}).get("private")}
    store = Store(settings.home)
    files: dict[str, list[Path]] = {}
    snapshots: dict[str, list[Snapshot]] = {}
    for prefix, y in (("", year), (PRIOR, year - 1)):
        in_force = {name: list(store.in_force(y, name, stage).values()) for name in kinds}
        found = [snapshot for rows in in_force.values() for snapshot in rows]
        if found:
            snapshots[f"{prefix}{SNAPSHOTS}"] = found
        files |= {
            f"{prefix}{RAW}{name}": [path for snapshot in rows for path in store.accepted(snapshot)]
            for name, rows in in_force.items()
            if rows
        }
    return Inputs(files, snapshots, kinds, frozenset(private))


def read_contracts(settings: Settings) -> dict[str, dict[str, Any]]:
    """Every contract as it is written; what it means is the intake's business."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    files = sorted(settings.contracts.glob("[a-z]*.yml"))
    return {file.stem: yaml.load(file.read_bytes(), Loader=loader) for file in files}  # noqa: S506
