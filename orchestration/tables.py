"""Tables that one room hands to the next: where they lie, what they were made from, and how they change in one step.

Belongs here: folders below `<home>/tables/<room>/<source>/<year>/`. Does not: what is in a table, and releases.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orchestration.files import make_private, private_folder, sha256_of
from orchestration.settings import PROJECT

RECORD = "record.json"
"""Beside the tables: inputs, a fingerprint of inputs and rules, rows."""


def folder_of(home: Path, room: str, source: str, year: int) -> Path:
    """Where a room's tables of a year and source lie: a link that moves in one step."""
    return home / "tables" / room / source / str(year)


def record_of(folder: Path) -> dict[str, Any] | None:
    """The record beside the tables, or None where there are none."""
    path = folder / RECORD
    if not path.exists():
        return None
    record: dict[str, Any] = json.loads(path.read_bytes())
    return record


def digests_of_rules(room: Path, policy: Path) -> dict[str, str]:
    """File to digest of what decides a room's tables besides tables: its code, the shared rules, the policy."""
    shared = (PROJECT / "orchestration" / name for name in ("exact.py", "policy.py", "policy_tables.py"))
    files = (*sorted(policy.glob("*.csv")), *sorted(room.glob("*.py")), *shared)
    return {file.name: sha256_of(file) for file in files}


@contextmanager
def replacing(target: Path, home: Path, record: Mapping[str, object]) -> Iterator[Path]:
    """A new folder to write tables into, with its record; `target` becomes it in one atomic step when the block ends.

    When the block raises, the new folder goes and `target` stays as it was.
    """
    private_folder(target.parent, home)
    made = Path(tempfile.mkdtemp(prefix=".made-", dir=target.parent))
    try:
        yield made
        (made / RECORD).write_text(json.dumps(record, indent=1) + "\n")
        make_private(made)
        old = target.resolve() if target.is_symlink() else None
        link = made.with_name(f"{made.name}.link")
        link.symlink_to(made.name)
        os.replace(link, target)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    if old:
        shutil.rmtree(old, ignore_errors=True)
