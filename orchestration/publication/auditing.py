"""Whether gathered tables may be published: every room's gate passed on exactly these tables, and the stage is served.

Belongs here: reading what the gates said. Does not: checking a table (the room validation does).
"""

from __future__ import annotations

from pathlib import Path

from orchestration.errors import InputError
from orchestration.policy import Register
from orchestration.publication.gathering import Gathered
from orchestration.publication.stages import missing_at
from orchestration.settings import Settings
from orchestration.tables import folder_of, record_of

VALIDATION = "validation"


def audit(gathered: Gathered, stage: str, *, settings: Settings, register: Register) -> dict[str, Path]:
    """Room to the report of its gate. Raises InputError naming what did not pass, was not asked, or is missing."""
    reports: dict[str, Path] = {}
    for room, fingerprint in gathered.fingerprints.items():
        folder = folder_of(settings.home / VALIDATION, room, gathered.source, gathered.year)
        record = record_of(folder)
        if record is None or record["fingerprints"].get(room) != fingerprint:
            raise InputError(f"{folder}: the gate of {room} has not judged these tables; run {gathered.year} again")
        if not record["passed"]:
            raise InputError(f"{folder / 'report.html'}: the gate of {room} did not pass; nothing was published")
        reports[room] = folder / "report"
    if missing := missing_at(gathered, stage, register):
        raise InputError(f"release of {gathered.year}: {'; '.join(missing)}")
    return reports
