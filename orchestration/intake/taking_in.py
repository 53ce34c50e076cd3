"""Taking in one collection of one year: from files in the landing folder to snapshots in force.

Belongs here: the order of the steps, and what is refused. Does not: how a file is read, judged or kept.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import duckdb

from orchestration.engine import connect
from orchestration.errors import InputError
from orchestration.intake.contracts import Contract
from orchestration.intake.digests import read_digests
from orchestration.intake.judged_before import judge_by_references
from orchestration.intake.landing import Arrival, scan
from orchestration.intake.pieces import QUARANTINE
from orchestration.intake.preparing import Limits, Prepared, prepare
from orchestration.intake.store import WORK, Snapshot, Store, TakenBefore, now
from orchestration.intake.validating import IrregularTextError, Judge, Outcome, References
from orchestration.policy import Register
from orchestration.settings import Settings

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

LOG = logging.getLogger(__name__)
State = Literal["new", "revalidated", "held", "unchanged"]
"""`held`: a key that it refers to came or went, and none of its rows is about one."""


@dataclass(frozen=True)
class TakenIn:
    """Result for one part: its snapshot, and whether this intake made it."""

    snapshot: Snapshot
    state: State


@dataclass(frozen=True)
class Intake:
    """What became of everything that had arrived: `taken` in order of part and stage, `refusals` one line each.

    `may_pass`: whether one of them is of a kind that may be gone in a moment, such as a share that does not answer.
    """

    taken: tuple[TakenIn, ...]
    refusals: tuple[str, ...]
    may_pass: bool = False


@dataclass(frozen=True)
class _Candidate:
    """A new delivery, copied and readable, before it is judged."""

    arrival: Arrival
    sha256: str
    kept: Path
    prepared: Prepared
    work: Path
    received: str


@dataclass
class _About:
    """What is known of a delivery while it is worked on: its sha256 as soon as it is copied."""

    sha256: str


class CollectionIntake:
    """Takes in one collection of one year. Use `run`; the other methods are its steps in order."""

    def __init__(
        self,
        collection: str,
        year: int,
        *,
        contracts: Mapping[str, Contract],
        register: Register,
        settings: Settings,
    ):
        self.contract, self.year = contracts[collection], year
        self.contracts, self.register, self.settings = contracts, register, settings
        self.store = Store(settings.home)
        self.limits = Limits(
            **{name: register.integer(year, "intake_limit", name) for name in Limits.__dataclass_fields__}
        )
        self.tolerance = register.decimal(year, "quarantine_tolerance", collection)
        self.taken: list[TakenIn] = []
        self.refusals: list[str] = []
        self.may_pass = False

    def run(self) -> Intake:
        """Take in what is new, check again what was judged by older rules; refuse without harm what is unfit."""
        with self.store.writing():
            shutil.rmtree(self.store.home / WORK, ignore_errors=True)  # left by a run that was killed
            with self.store.work_folder() as work:
                self._take_in_new(work)
            self._judge_again()
        for snapshot in self._in_force():
            if all(snapshot != item.snapshot for item in self.taken):
                self.taken.append(TakenIn(snapshot, "unchanged"))
        return Intake(
            tuple(sorted(self.taken, key=lambda t: (t.snapshot.part, t.snapshot.stage))),
            tuple(self.refusals),
            self.may_pass,
        )

    def _in_force(self) -> list[Snapshot]:
        known = self.store.snapshots(self.year, self.contract.collection)
        return list({(s.part, s.stage): s for s in known}.values())

    def _take_in_new(self, work: Path) -> None:
        collection = self.contract.collection
        before = TakenBefore(self.store.snapshots(self.year, collection))
        seen: set[tuple[str, str]] = set()
        remembered = read_digests(self.settings.home)
        fresh: dict[tuple[str, str], list[_Candidate]] = {}
        for number, arrival in enumerate(self._arrivals()):
            with self._refusing(arrival.name) as about:
                if before.has(collection, arrival.stage, arrival.name, remembered.known(arrival.path)):
                    continue
                folder = work / str(number)
                folder.mkdir()
                copy, about.sha256 = self.store.copy_in(arrival.path, arrival.name, folder, self.limits.settle_seconds)
                landed = about.sha256, arrival.stage
                if landed in seen or before.has(collection, arrival.stage, arrival.name, about.sha256):
                    shutil.rmtree(folder)
                    continue
                seen.add(landed)  # the same bytes under a second name are no second delivery
                candidate = self._prepare(arrival, copy, about.sha256, folder)
                fresh.setdefault((candidate.arrival.part, arrival.stage), []).append(candidate)
        for (part, stage), candidates in sorted(fresh.items()):
            names = " and ".join(c.arrival.name for c in candidates)
            with self._refusing(names) as about:
                about.sha256 = candidates[0].sha256
                if len(candidates) > 1:
                    what = f"{self.contract.collection} {part}".strip()
                    raise InputError(
                        f"{names}: different new deliveries of {what} {self.year} ({stage}) at once; leave one in place"
                    )
                self._judge(candidates[0], "new")

    def _arrivals(self) -> list[Arrival]:
        found = scan(self.settings.landing, self.year, self.contracts)
        return [a for a in found.arrivals if a.collection == self.contract.collection]

    def _prepared(self, path: Path, name: str, work: Path, *, careful: bool = False) -> Prepared:
        contract = self.contract
        return prepare(
            path, name, work, self.limits, header_row=contract.header_row, sheet=contract.sheet, careful=careful
        )

    def _prepare(self, arrival: Arrival, copy: Path, sha256: str, work: Path) -> _Candidate:
        """Make a copied delivery readable and find out its part."""
        parts = self.contract.parts
        part = arrival.part if parts else ""
        prepared = self._prepared(copy, arrival.name, work, careful=bool(parts and not part))
        if parts and not part:
            judge = self._new_judge(prepared, arrival.name, "", sha256, work)
            part = judge.part_named_inside() or ""
            if part not in parts.names:
                names = ", ".join(parts.names)
                raise InputError(f"{arrival.name}: cannot tell the part; name it in the file name: {names}")
        return _Candidate(replace(arrival, part=part), sha256, copy, prepared, work, now())

    def _new_judge(self, prepared: Prepared, name: str, part: str, sha256: str, work: Path) -> Judge:
        return Judge(self.contract, prepared, name=name, year=self.year, part=part, delivery=sha256, work=work)

    def _judge(self, candidate: _Candidate, state: State) -> None:
        """Judge a delivery and put its accepted rows in force, unless too many are unfit."""
        arrival, contract = candidate.arrival, self.contract
        references, digests = self._references(arrival)
        built = candidate.work / "snapshot"
        built.mkdir()
        try:
            outcome = self._outcome(candidate, candidate.prepared, references, built)
        except IrregularTextError:
            careful = self._prepared(candidate.kept, arrival.name, candidate.work, careful=True)
            outcome = self._outcome(candidate, careful, references, built)
        self._check_share(outcome, arrival.name, built / QUARANTINE)
        if candidate.kept.parent == candidate.work:
            self.store.keep(candidate.kept, candidate.sha256, arrival.name)
        snapshot = Snapshot(
            seq=self.store.next_seq(self.year),
            year=self.year,
            collection=contract.collection,
            part=arrival.part,
            stage=arrival.stage,
            file=arrival.name,
            sha256=candidate.sha256,
            bytes=self.store.delivery(candidate.sha256).stat().st_size,
            received=candidate.received,
            contract_version=contract.version,
            references=digests,
            **_what_became(outcome),
        )
        self._put_in_force(built, snapshot, state)

    def _put_in_force(self, built: Path, snapshot: Snapshot, state: State) -> None:
        snapshot = self.store.commit(built, snapshot)
        self.store.forget_refusal(self.year, snapshot.sha256)
        self.taken = [t for t in self.taken if (t.snapshot.part, t.snapshot.stage) != (snapshot.part, snapshot.stage)]
        self.taken.append(TakenIn(snapshot, state))
        LOG.info("%s", summary(snapshot, state))

    def _outcome(self, candidate: _Candidate, prepared: Prepared, references: References, built: Path) -> Outcome:
        name, part = candidate.arrival.name, candidate.arrival.part
        judge = self._new_judge(prepared, name, part, candidate.sha256, candidate.work)
        return judge.judge(references, self.store.identifier_key(), built, self._keys_referred_to())

    def _check_share(self, outcome: Outcome, name: str, quarantine: Path) -> None:
        """Refuse a delivery that does not add up, or of which too large a share breaks the contract."""
        rows, accepted, quarantined = outcome.rows, outcome.accepted, outcome.quarantined
        if rows != accepted + quarantined:
            raise InputError(
                f"{name}: {rows} rows delivered, {accepted} accepted, {quarantined} quarantined: report it"
            )
        if Decimal(quarantined) > self.tolerance * rows or accepted == 0:
            (field, rule), count = max(outcome.violations.items(), key=lambda item: item[1])
            raise InputError(
                f"{name}: {quarantined} of {rows} rows break the contract, more than the tolerated share "
                f"{self.tolerance}; most often {f'{field} ' if field else ''}{rule} ({count} times, first in row "
                f"{_first_row(quarantine, field, rule)}); correct them and deliver the file again"
            )

    def _references(self, arrival: Arrival) -> tuple[References, dict[str, str]]:
        """Accepted rows that foreign keys are held against, and digests of their key sets."""
        files: dict[str, list[Path]] = {}
        digests: dict[str, str] = {}
        for key in self.contract.foreign_keys:
            parts = self.store.in_force(self.year, key.references, arrival.stage)
            if not parts:
                what = f"{key.references} of {self.year}"
                raise InputError(f"{arrival.name}: needs {what}, of which nothing is accepted; deliver that first")
            files[key.references] = [path for s in parts.values() for path in self.store.accepted(s)]
            digests[key.of] = self._digest(parts, key.to)
        return References(files), digests

    def _digest(self, parts: Mapping[str, Snapshot], key: tuple[str, ...]) -> str:
        return "+".join(s.keys[",".join(key)] for s in parts.values())

    def _keys_referred_to(self) -> list[tuple[str, ...]]:
        own = self.contract.collection
        return sorted({k.to for c in self.contracts.values() for k in c.foreign_keys if k.references == own})

    def _judge_again(self) -> None:
        """Judge what is in force again when its contract, or a key that it was held against, has changed."""
        for snapshot in self._in_force():
            arrival = Arrival(Path(), snapshot.file, self.year, snapshot.collection, snapshot.part, snapshot.stage)
            with self._refusing(snapshot.file, snapshot.sha256), self.store.work_folder() as work:
                digests = self._references(arrival)[1]
                if snapshot.contract_version == self.contract.version:
                    if digests == snapshot.references:
                        continue
                    if self._judge_by_references(snapshot, digests, work):
                        continue
                kept = self.store.delivery(snapshot.sha256)
                prepared = self._prepared(kept, snapshot.file, work)
                candidate = _Candidate(arrival, snapshot.sha256, kept, prepared, work, snapshot.received)
                self._judge(candidate, "revalidated")

    def _judge_by_references(self, snapshot: Snapshot, digests: dict[str, str], work: Path) -> bool:
        """Put in force what becomes of the rows held against other keys, if that can be told without the delivery."""
        built, now = work / "by_references", self._referred_to(snapshot.stage)
        built.mkdir()
        outcome = judge_by_references(snapshot, self.contract, now, self.store, built, self._keys_referred_to())
        if outcome is None:
            return False
        self._check_share(outcome, snapshot.file, built / QUARANTINE)
        seq = self.store.next_seq(self.year)
        judged = replace(snapshot, seq=seq, references=digests, **_what_became(outcome))
        self._put_in_force(built, judged, "held" if judged.quarantined == snapshot.quarantined else "revalidated")
        return True

    def _referred_to(self, stage: str) -> dict[str, dict[str, Snapshot]]:
        """Collection that this one refers to, to its snapshots in force by part."""
        names = {key.references for key in self.contract.foreign_keys}
        return {name: self.store.in_force(self.year, name, stage) for name in names}

    @contextmanager
    def _refusing(self, name: str, sha256: str = "") -> Iterator[_About]:
        """Turn a fault of one delivery into a refusal, so that the others go on; a full disk ends the intake."""
        about = _About(sha256)
        try:
            yield about
        except InputError as error:
            if about.sha256:
                self.store.refuse(self.year, about.sha256, name, str(error))
            self.refusals.append(str(error))
        except (OSError, duckdb.Error) as error:
            if _is_full_disk(error):
                home = self.settings.home
                raise InputError(f"{home}: the disk is full; free space and run again, nothing was changed") from None
            self.may_pass |= isinstance(error, OSError)
            # never the message of DuckDB: it may quote the data
            fault = getattr(error, "strerror", None) or type(error).__name__
            self.refusals.append(
                f"{name}: cannot be read ({fault}); check the file and its permissions, deliver it again"
            )


def summary(snapshot: Snapshot, state: State) -> str:
    """One line of what became of a delivery: the reconciliation of its rows."""
    s = snapshot
    what = f"{s.year} {s.collection} {s.part}".strip()
    return f"{what} ({s.stage}) {state}: {s.rows:,} delivered = {s.accepted:,} accepted + {s.quarantined:,} quarantined"


def _what_became(outcome: Outcome) -> dict[str, Any]:
    """The fields of a snapshot that say what became of the rows."""
    violations = [(field, rule, n) for (field, rule), n in outcome.violations.items()]
    lists = {"violations": violations, "ignored": list(outcome.ignored), "unknown": list(outcome.unknown)}
    return {**vars(outcome), **lists}


def unrecognised(year: int, settings: Settings, contracts: Mapping[str, Contract]) -> tuple[str, ...]:
    """One line for each file of the year that is no collection's delivery."""
    return scan(settings.landing, year, contracts).problems


def _first_row(quarantine: Path, field: str, rule: str) -> int:
    sql = "SELECT min(_row) FROM read_parquet(?) WHERE field = ? AND rule = ?"
    return int(connect().execute(sql, [str(quarantine), field, rule]).fetchall()[0][0])


def _is_full_disk(error: Exception) -> bool:
    return getattr(error, "errno", None) in _NO_ROOM or any(os.strerror(code) in str(error) for code in _NO_ROOM)
