"""The store: delivered bytes by their sha256, snapshots of accepted rows, and the manifest that ties them together.

Layout of the home folder (0700, files 0600):
    deliveries/<sha256><ending>                     the bytes as delivered, never changed
    snapshots/<year>/<collection>/<seq>-<sha>/      accepted-000.parquet and so on, quarantine.parquet
    manifest/<year>/<collection>/<seq>-<sha>.json   one row a snapshot; written last, so what it names is complete
    refused/<year>/<sha>.json                       deliveries refused whole, with the reason
    runs/<seq>-<year>.json                          which snapshots a run used, and how it ended
    work/                                           scratch, emptied at will
The highest <seq> of a collection, part and stage is in force. Nothing is ever changed in place or deleted.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.errors import InputError
from orchestration.files import exclusive, private_folder, sha256_of, sync, write_whole
from orchestration.identifiers import key_path
from orchestration.intake.pieces import QUARANTINE, accepted_names
from orchestration.intake.preparing import CHUNK, ROW
from orchestration.tables import read_table

WORK = "work"
"""Folder of the home for scratch: whatever a killed run has left there goes with the next one."""


@dataclass(frozen=True)
class Snapshot:
    """A manifest row: one accepted version of a collection's part in one year."""

    seq: int
    year: int
    collection: str
    part: str
    stage: str
    file: str
    sha256: str
    bytes: int
    received: str
    contract_version: str
    references: dict[str, str]
    rows: int
    accepted: int
    quarantined: int
    violations: list[tuple[str, str, int]]
    repairs: dict[str, int]
    ignored: list[str]
    unknown: list[str]
    keys: dict[str, str]
    files: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Folder of the snapshot and name of its manifest row."""
        return f"{self.seq:05d}-{self.sha256[:12]}"

    @property
    def accepted_files(self) -> list[str]:
        """Names of the files with its accepted rows, in order of the rows."""
        return accepted_names(self.files)

    @property
    def accepted_sha256(self) -> str:
        """Digest of its accepted rows: that of their file, or one over those of several."""
        digests = [self.files[name] for name in self.accepted_files]
        return digests[0] if len(digests) == 1 else hashlib.sha256(" ".join(digests).encode()).hexdigest()


class TakenBefore:
    """What was taken in: whether landed bytes are news.

    Bytes that were taken in before are none, under whatever name. Where the file that gave what is in force holds them
    instead, somebody has put an earlier delivery back, and that is news. A file that gave something older may hold what
    it likes: a corrected file that is renamed to it, or a copy that was left, moves nothing.
    """

    def __init__(self, snapshots: Iterable[Snapshot]):
        """`snapshots`: oldest first."""
        ordered = list(snapshots)
        self.count = len(ordered)
        self._bytes = {(s.collection, s.stage, s.sha256) for s in ordered}
        in_force = {(s.collection, s.part, s.stage): s for s in ordered}.values()
        self._gave = {(s.collection, s.stage, s.file): s.sha256 for s in in_force}

    def has(self, collection: str, stage: str, file: str, sha256: str | None) -> bool:
        """Whether these bytes of a collection and stage, in a file of this name, are no news."""
        known = (collection, stage, sha256) in self._bytes
        return known and not self.is_put_back(collection, stage, file, sha256)

    def is_put_back(self, collection: str, stage: str, file: str, sha256: str | None) -> bool:
        """Whether the file of this name gave what is in force, and holds bytes that were taken in earlier instead."""
        known = (collection, stage, sha256) in self._bytes
        return known and self._gave.get((collection, stage, file), sha256) != sha256


class Store:
    """Reads and writes the home folder. One writer at a time (`writing`); readers need no lock."""

    def __init__(self, home: Path):
        self.home = home

    # -- reading ---------------------------------------------------------------------------------------------

    def snapshots(self, year: int, collection: str | None = None) -> list[Snapshot]:
        """Manifest rows of a year, oldest first."""
        folder = self.home / "manifest" / str(year)
        pattern = f"{collection or '*'}/*.json"
        rows = [_snapshot(_read_json(path)) for path in folder.glob(pattern)]
        return sorted(rows, key=lambda s: s.seq)

    def in_force(self, year: int, collection: str, stage: str) -> dict[str, Snapshot]:
        """Part -> the snapshot that a run of `stage` uses: the newest official one; where there is none, a preliminary
        run takes the newest preliminary one."""
        found: dict[str, Snapshot] = {}
        for wanted in ("preliminary", "official") if stage == "preliminary" else ("official",):
            found |= {s.part: s for s in self.snapshots(year, collection) if s.stage == wanted}
        return dict(sorted(found.items()))

    def folder(self, snapshot: Snapshot) -> Path:
        """Where the Parquet files of a snapshot lie."""
        return self.home / "snapshots" / str(snapshot.year) / snapshot.collection / snapshot.name

    def accepted(self, snapshot: Snapshot) -> list[Path]:
        """The files with its accepted rows."""
        return [self.folder(snapshot) / name for name in snapshot.accepted_files]

    def manifest_path(self, snapshot: Snapshot) -> Path:
        """The manifest row's file."""
        return self.home / "manifest" / str(snapshot.year) / snapshot.collection / f"{snapshot.name}.json"

    def delivery(self, sha256: str) -> Path:
        """The kept bytes of a delivery."""
        found = next((self.home / "deliveries").glob(f"{sha256}.*"), None)
        if found is None:
            raise InputError(
                f"{self.home / 'deliveries'}: {sha256[:12]}… is gone from the store; restore it from a backup"
            )
        return found

    def refusals(self, year: int) -> dict[str, dict[str, Any]]:
        """sha256 -> {file, reason} of deliveries that were refused whole."""
        return {p.stem: _read_json(p) for p in sorted((self.home / "refused" / str(year)).glob("*.json"))}

    def runs(self, year: int) -> list[dict[str, Any]]:
        """Run records of a year, oldest first."""
        return [_read_json(path) for path in self._run_paths(str(year))]

    def run_of(self, year: int, run_id: str) -> tuple[Path | None, dict[str, Any]]:
        """The record of one run with its path; nothing when the run ended before it could write one."""
        found = ((path, _read_json(path)) for path in reversed(self._run_paths(str(year))))
        return next(((path, record) for path, record in found if record.get("run_id") == run_id), (None, {}))

    def unfinished_runs(self) -> list[tuple[Path, dict[str, Any]]]:
        """Run records that do not say how the run ended, with their paths."""
        found = ((path, _read_json(path)) for path in self._run_paths("*"))
        return [(path, record) for path, record in found if record.get("state") in ("waiting", "running")]

    def _run_paths(self, year: str) -> list[Path]:
        """Records in order; one that a killed run left empty is none."""
        return [p for p in sorted((self.home / "runs").glob(f"*-{year}.json")) if p.stat().st_size]

    def used(self, year: int, stage: str) -> list[Snapshot]:
        """The snapshots of a year that a run of `stage` uses, by collection and part."""
        collections = sorted({s.collection for s in self.snapshots(year)})
        return [s for name in collections for s in self.in_force(year, name, stage).values()]

    def faults(self, snapshot: Snapshot, *, digested_now: bool = False) -> list[str]:
        """One line for each thing that is no longer as the manifest says: bytes, or rows counted again.

        `digested_now`: its bytes were read just now, when they were written, and need not be read again.
        """
        found = [] if digested_now else self._lost_bytes(snapshot)
        if not found:
            accepted, quarantined = self._count_again(snapshot)
            if accepted + quarantined != snapshot.rows:
                found.append(
                    f"{self.manifest_path(snapshot)}: {snapshot.rows} delivered, "
                    f"but {accepted} accepted + {quarantined} quarantined"
                )
        return found

    def has_rows(self, snapshot: Snapshot) -> bool:
        """Whether the files of a snapshot are there and as the manifest says."""
        paths = {self.folder(snapshot) / name: digest for name, digest in snapshot.files.items()}
        return all(path.is_file() and sha256_of(path) == digest for path, digest in paths.items())

    def _lost_bytes(self, snapshot: Snapshot) -> list[str]:
        """One line for each file that is missing or has other bytes."""
        found = []
        for name, digest in snapshot.files.items():
            path = self.folder(snapshot) / name
            if not path.is_file():
                found.append(f"{path}: is missing; restore it from a backup")
            elif sha256_of(path) != digest:
                found.append(f"{path}: has other bytes than the manifest says; restore it from a backup")
        kept = next((self.home / "deliveries").glob(f"{snapshot.sha256}.*"), None)
        if kept is None or sha256_of(kept) != snapshot.sha256:
            found.append(
                f"{self.home}/deliveries/{snapshot.sha256}: the delivered bytes are missing or changed; "
                "restore them from a backup"
            )
        return found

    def _count_again(self, snapshot: Snapshot) -> tuple[int, int]:
        accepted = sum(pq.read_metadata(path).num_rows for path in self.accepted(snapshot))
        quarantine = self.folder(snapshot) / QUARANTINE
        quarantined = pc.count_distinct(read_table(quarantine, columns=[ROW])[ROW]).as_py()
        return accepted, quarantined

    # -- writing ---------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def writing(self, patience: float = 600.0) -> Iterator[None]:
        """Hold the store's write lock. Another writer is waited for, up to `patience` seconds."""
        private_folder(self.home, self.home)
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(exclusive(self.home / ".lock", patience))
            except TimeoutError:
                raise InputError(f"{self.home}: another run is writing; wait for it to end") from None
            yield

    @contextlib.contextmanager
    def work_folder(self) -> Iterator[Path]:
        """A scratch folder on the home's file system, removed afterwards."""
        with tempfile.TemporaryDirectory(dir=private_folder(self.home / WORK, self.home)) as folder:
            yield Path(folder)

    def copy_in(self, source: Path, name: str, work: Path, settle_seconds: float) -> tuple[Path, str]:
        """Copy a landed file into `work` and hash it: (copy, sha256). Raises InputError while the file is growing."""
        copy = work / "delivered"
        digest = hashlib.sha256()
        flags = os.O_RDONLY | os.O_NOFOLLOW  # the file cannot be swapped for a link after the scan
        with os.fdopen(os.open(source, flags), "rb") as file, copy.open("wb") as target:
            before = os.fstat(file.fileno())
            age = time.time() - before.st_mtime
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                target.write(chunk)
            if 0 <= age < settle_seconds:
                time.sleep(settle_seconds - age)
            after = os.fstat(file.fileno())
        if (before.st_size, before.st_mtime_ns) != (
            after.st_size,
            after.st_mtime_ns,
        ) or copy.stat().st_size != after.st_size:
            raise InputError(f"{name}: the file is still growing; wait until it is complete and run again")
        return copy, digest.hexdigest()

    def keep(self, copy: Path, sha256: str, name: str) -> Path:
        """Move delivered bytes to their place for good. Bytes that are there already stay."""
        lower = name.lower()
        ending = ".csv.gz" if lower.endswith(".csv.gz") else Path(lower).suffix
        target = self.home / "deliveries" / f"{sha256}{ending}"
        private_folder(target.parent, self.home)
        if not target.exists():
            copy.chmod(0o400)
            sync(copy)
            os.replace(copy, target)
            sync(target.parent)
        return target

    def next_seq(self, year: int) -> int:
        """Number of the next snapshot of a year: order of receipt, no clock."""
        return max((s.seq for s in self.snapshots(year)), default=0) + 1

    def commit(self, built: Path, snapshot: Snapshot) -> Snapshot:
        """Put a built snapshot in its place and write its manifest row; the row is the commit."""
        files = {path.name: sha256_of(path) for path in sorted(built.iterdir())}
        snapshot = Snapshot(**(asdict(snapshot) | {"files": files}))
        target = self.folder(snapshot)
        private_folder(target.parent, self.home)
        if target.exists():  # left by a run that died before its manifest row was written
            shutil.rmtree(target)
        built.chmod(0o700)
        for path in built.iterdir():
            path.chmod(0o400)
            sync(path)
        os.replace(built, target)
        sync(target.parent)
        self.write_json(self.manifest_path(snapshot), asdict(snapshot))
        return snapshot

    def refuse(self, year: int, sha256: str, file: str, reason: str) -> None:
        """Remember that a delivery was refused whole. Its file stays where it was delivered."""
        self.write_json(self.home / "refused" / str(year) / f"{sha256}.json", {"file": file, "reason": reason})

    def forget_refusal(self, year: int, sha256: str) -> None:
        """The same bytes were accepted after all (a contract or a reference has changed)."""
        (self.home / "refused" / str(year) / f"{sha256}.json").unlink(missing_ok=True)

    def begin_run(self, year: int, record: dict[str, Any]) -> Path:
        """Write a run record under the next number; the path under which it is kept up to date."""
        folder = private_folder(self.home / "runs", self.home)
        number = max((int(path.name.split("-")[0]) for path in folder.glob("*.json")), default=0)
        while True:  # two runs may begin at once: the name is taken by whoever makes it
            number += 1
            path = folder / f"{number:06d}-{year}.json"
            try:
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
                break
            except FileExistsError:
                continue
        self.write_json(path, record)
        return path

    def identifier_key(self) -> bytes:
        """Secret of this home: without it the hash of an identifier cannot be reproduced."""
        path = key_path(self.home)
        private_folder(self.home, self.home)
        if not path.exists():
            write_whole(path, [secrets.token_bytes(32)])
        return path.read_bytes()

    def write_json(self, path: Path, content: dict[str, Any]) -> None:
        """Write a JSON file whole or not at all."""
        private_folder(path.parent, self.home)
        write_whole(path, [(json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()])


def now() -> str:
    """The moment of receipt, UTC, to the second. Shown to people; no rule looks at it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _snapshot(row: dict[str, Any]) -> Snapshot:
    """A manifest row as it was when it was written: JSON has lists in place of tuples."""
    return Snapshot(**(row | {"violations": [tuple(entry) for entry in row["violations"]]}))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
    except ValueError:
        raise InputError(f"{path}: not valid JSON; restore it from a backup") from None
    return content
