"""Whether gathered tables may be published: every room's gate passed on exactly these tables, and the stage is served.

Belongs here: reading what the gates said. Does not: checking a table (the room validation does).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from orchestration.errors import InputError
from orchestration.files import sha256_of
from orchestration.policy import Register
from orchestration.publication.gathering import Gathered
from orchestration.publication.stages import missing_at
from orchestration.settings import Settings
from orchestration.tables import folder_of, record_of

DELIVERIES = "source"
"""The gate before the first room; its report goes along with the others."""


def audit(gathered: Gathered, stage: str, *, settings: Settings, register: Register) -> dict[str, Path]:
    """Room to the folder of its gate's report.

    Raises InputError naming the gate that did not pass or did not see just these bytes, or what the stage lacks.
    """
    reports: dict[str, Path] = {}
    for room in (DELIVERIES, *gathered.fingerprints):
        folder = settings.home / "validation" / room / gathered.source / str(gathered.year)
        record = record_of(folder)
        if record is None:
            raise InputError(f"{folder}: the gate of {room} has not been asked; run {gathered.year} again")
        for table in (name for name, its in gathered.rooms.items() if its == room):
            if record["inputs"].get(table) != [sha256_of(gathered.tables[table] / f"{table}.parquet")]:
                raise InputError(f"{folder}: the gate of {room} has not seen this {table}; run {gathered.year} again")
        report: dict[str, Any] = json.loads((folder / "report.json").read_bytes())
        if not report["passed"]:
            raise InputError(f"{folder / 'report.html'}: the gate of {room} did not pass; nothing was published")
        reports[room] = folder.resolve()
    _audit_earlier(gathered, settings)
    if missing := missing_at(gathered, stage, register):
        raise InputError(f"release of {gathered.year}: {'; '.join(missing)}")
    return reports


def _audit_earlier(gathered: Gathered, settings: Settings) -> None:
    """Hold earlier years' tables that were read against their gates: what a gate stopped goes into no later year."""
    for name in gathered.tables_read:
        room, _, year = name.partition(" ")
        if int(year) == gathered.year:
            continue
        folder = settings.home / "validation" / room / gathered.source / year
        seen = (record_of(folder) or {"inputs": {}})["inputs"]
        tables = folder_of(settings.home, room, gathered.source, int(year))
        judged = [t for t in (record_of(tables) or {"rows": {}})["rows"] if t in seen]
        same = judged and all(seen[t] == [sha256_of(tables / f"{t}.parquet")] for t in judged)
        if not same or not json.loads((folder / "report.json").read_bytes())["passed"]:
            raise InputError(
                f"{folder}: the gate of {room} has not passed these tables of {year}, which "
                f"{gathered.year} was made from; correct and run {year} first"
            )
