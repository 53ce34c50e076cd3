"""Tables that one room hands to the next: where they lie, what they were made from, and how they change in one step.

Belongs here: folders below `<home>/tables/<room>/<source>/<year>/`. Does not: what is in a table, and releases.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.files import make_private, private_folder, sha256_of
from orchestration.settings import PROJECT

RECORD = "record.json"
"""Beside the tables: what was read, a fingerprint of that and the rules, rows."""


def read_table(file: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """The columns of a Parquet file in the order asked for, or all. Arrow's own way for one file of many first loads
    what many need, for a quarter of a second."""
    with pq.ParquetFile(file) as source:
        return source.read() if columns is None else source.read(columns=list(columns)).select(list(columns))


@dataclass(frozen=True)
class Basis:
    """What tables are made from: name to digest of everything read, file or library to digest of every rule."""

    room: str
    year: int
    source: str
    inputs: Mapping[str, str]
    rules: Mapping[str, str]

    @property
    def fingerprint(self) -> str:
        """Digest over all of it: tables with the same fingerprint are the same."""
        everything = [self.room, self.year, self.source, sorted(self.inputs.items()), sorted(self.rules.items())]
        return hashlib.sha256(json.dumps(everything).encode()).hexdigest()

    def record(self) -> dict[str, Any]:
        """What is written beside the tables, so that a later run can tell what has changed."""
        return {"fingerprint": self.fingerprint, "basis": {"inputs": dict(self.inputs), "rules": dict(self.rules)}}

    def since(self, record: Mapping[str, Any] | None) -> Changes:
        """What is other than when tables with this record were made."""
        if record is None:
            return Changes(("made for the first time",))
        if record["fingerprint"] == self.fingerprint:
            return Changes()
        before = record.get("basis", {"inputs": {}, "rules": {}})
        found = Changes(_differing(before["inputs"], self.inputs), _differing(before["rules"], self.rules))
        return found or Changes(rules=("the record beside the tables changed",))


@dataclass(frozen=True)
class Changes:
    """Why tables are out of date, a few words each: other things read, and other rules."""

    inputs: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.inputs or self.rules)

    def __str__(self) -> str:
        return "; ".join((*_first(self.inputs), *_first(self.rules)))


@dataclass(frozen=True)
class Built:
    """Tables of a year and source: where they are, rows of each, and why they were made (empty: they stood already)."""

    folder: Path
    rows: dict[str, int]
    fingerprint: str
    why: Changes

    @property
    def is_new(self) -> bool:
        """Whether they were made now."""
        return bool(self.why)


SHOWN = 4
"""Reasons of one kind that are told in a line."""


def _first(reasons: tuple[str, ...]) -> tuple[str, ...]:
    more = len(reasons) - SHOWN
    return (*reasons[:SHOWN], f"and {more} more") if more > 0 else reasons


def _differing(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    words = {(True, False): "new", (False, True): "gone", (True, True): "changed"}
    return tuple(
        f"{name} {words[name in now, name in before]}"
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    )


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


def code_version_of(room: Path, policy: Path) -> str:
    """Digest of what decides a room's tables besides tables, for Dagster."""
    return hashlib.sha256(json.dumps(digests_of_rules(room, policy)).encode()).hexdigest()


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
