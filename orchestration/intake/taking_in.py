"""Taking in one collection of one year: from files in the landing folder to snapshots in force.

Belongs here: the order of the steps, and what is refused. Does not: how a file is read, judged or kept.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Literal

import duckdb

from orchestration.errors import InputError
from orchestration.intake.contracts import Contract
from orchestration.intake.landing import STAGES, Arrival, scan
from orchestration.intake.preparing import Limits, Prepared, prepare
from orchestration.intake.store import Snapshot, Store, now
from orchestration.intake.validating import Judge, References
from orchestration.policy import Register
from orchestration.settings import Settings

State = Literal["new", "revalidated", "unchanged"]


@dataclass(frozen=True)
class TakenIn:
    """Result for one part: its snapshot, and whether this intake made it."""

    snapshot: Snapshot
    state: State


@dataclass(frozen=True)
class Intake:
    """What became of everything that had arrived: `taken` in order of part and stage, `refusals` one line each."""

    taken: tuple[TakenIn, ...]
    refusals: tuple[str, ...]


@dataclass(frozen=True)
class _Candidate:
    """A new delivery, copied and readable, before it is judged."""

    arrival: Arrival
    sha256: str
    kept: Path
    prepared: Prepared
    work: Path
    received: str


class CollectionIntake:
    """Takes in one collection of one year. Use `run`; the other methods are its steps in order."""

    def __init__(self, collection: str, year: int, *, contracts: Mapping[str, Contract], register: Register, settings: Settings):
        self.contract, self.year = contracts[collection], year
        self.contracts, self.register, self.settings = contracts, register, settings
        self.store = Store(settings.home)
        self.limits = Limits(
            **{name: register.integer(year, "intake_limit", name) for name in Limits.__dataclass_fields__}
        )
        self.tolerance = register.decimal(year, "quarantine_tolerance", collection)
        self.taken: list[TakenIn] = []
        self.refusals: list[str] = []

    def run(self) -> Intake:
        """Take in what is new, check again what was judged by older rules; refuse without harm what is unfit."""
        with self.store.writing():
            shutil.rmtree(self.store.home / "work", ignore_errors=True)  # left by a run that was killed
            with self.store.work_folder() as work:
                self._take_in_new(work)
            self._judge_again()
        for snapshot in self._in_force():
            if all(snapshot != item.snapshot for item in self.taken):
                self.taken.append(TakenIn(snapshot, "unchanged"))
        return Intake(tuple(sorted(self.taken, key=lambda t: (t.snapshot.part, t.snapshot.stage))), tuple(self.refusals))

    def _in_force(self) -> list[Snapshot]:
        known = self.store.snapshots(self.year, self.contract.collection)
        return list({(s.part, s.stage): s for s in known}.values())

    def _take_in_new(self, work: Path) -> None:
        known = {(s.sha256, s.stage) for s in self.store.snapshots(self.year, self.contract.collection)}
        fresh: dict[tuple[str, str], list[_Candidate]] = {}
        for number, arrival in enumerate(self._arrivals()):
            sha256 = ""
            with self._refusing(lambda: (sha256, arrival.name)):
                folder = work / str(number)
                folder.mkdir()
                copy, sha256 = self.store.copy_in(arrival.path, arrival.name, folder, self.limits.settle_seconds)
                if (sha256, arrival.stage) in known:
                    shutil.rmtree(folder)
                    continue
                known.add((sha256, arrival.stage))  # the same bytes under a second name are no second delivery
                candidate = self._prepare(arrival, copy, sha256, folder)
                fresh.setdefault((candidate.arrival.part, arrival.stage), []).append(candidate)
        for (part, stage), candidates in sorted(fresh.items()):
            if len(candidates) > 1:
                names = " and ".join(c.arrival.name for c in candidates)
                what = f"{self.contract.collection} {part}".strip()
                self._refuse(candidates[0], f"{names}: different new deliveries of {what} {self.year} ({stage}) at once; leave one in place")
                continue
            with self._refusing(lambda: (candidates[0].sha256, candidates[0].arrival.name)):
                self._judge(candidates[0], "new")

    def _arrivals(self) -> list[Arrival]:
        found = scan(self.settings.landing, self.year, self.contracts)
        return [a for a in found.arrivals if a.collection == self.contract.collection]

    def _prepare(self, arrival: Arrival, copy: Path, sha256: str, work: Path) -> _Candidate:
        prepared = prepare(copy, arrival.name, work, self.limits, header_row=self.contract.header_row, sheet=self.contract.sheet)
        parts = self.contract.parts
        if parts and not arrival.part:
            judge = Judge(self.contract, prepared, name=arrival.name, year=self.year, part="", delivery=sha256, work=work)
            inside = judge.part_named_inside()
            if inside not in parts.names:
                raise InputError(f"{arrival.name}: cannot tell the part; name it in the file name: {', '.join(parts.names)}")
            arrival = replace(arrival, part=inside)
        elif not parts:
            arrival = replace(arrival, part="")
        return _Candidate(arrival, sha256, copy, prepared, work, now())

    def _judge(self, candidate: _Candidate, state: State) -> None:
        """Judge a delivery and put its accepted rows in force, unless too many are unfit."""
        arrival, contract = candidate.arrival, self.contract
        references, digests = self._references(arrival)
        judge = Judge(
            contract, candidate.prepared, name=arrival.name, year=self.year, part=arrival.part, delivery=candidate.sha256, work=candidate.work
        )
        built = candidate.work / "snapshot"
        built.mkdir()
        accepted, quarantine = built / "accepted.parquet", built / "quarantine.parquet"
        outcome = judge.judge(references, self.store.identifier_key(), accepted, quarantine, self._keys_referred_to())
        if outcome.rows != outcome.accepted + outcome.quarantined:
            raise InputError(f"{arrival.name}: {outcome.rows} rows delivered, {outcome.accepted} accepted, {outcome.quarantined} quarantined: report this fault")
        if Decimal(outcome.quarantined) > self.tolerance * outcome.rows:
            (field, rule), count = max(outcome.violations.items(), key=lambda item: item[1])
            raise InputError(
                f"{arrival.name}: {outcome.quarantined} of {outcome.rows} rows break the contract, more than the tolerated share "
                f"{self.tolerance}; most often {f'{field}: ' if field else ''}{rule} ({count} rows, first in row {_first_row(quarantine, field, rule)}); correct and deliver again"
            )
        if outcome.accepted == 0:
            raise InputError(f"{arrival.name}: no row fits the contract of {contract.collection}; correct and deliver again")
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
            rows=outcome.rows,
            accepted=outcome.accepted,
            quarantined=outcome.quarantined,
            violations=[(field, rule, n) for (field, rule), n in outcome.violations.items()],
            repairs=outcome.repairs,
            ignored=list(outcome.ignored),
            unknown=list(outcome.unknown),
            keys=outcome.keys,
        )
        snapshot = self.store.commit(built, snapshot)
        self.store.forget_refusal(self.year, candidate.sha256)
        self.taken = [t for t in self.taken if (t.snapshot.part, t.snapshot.stage) != (snapshot.part, snapshot.stage)]
        self.taken.append(TakenIn(snapshot, state))

    def _references(self, arrival: Arrival) -> tuple[References, dict[str, str]]:
        """Accepted rows that foreign keys are held against, and digests of their key sets."""
        files: dict[str, list[Path]] = {}
        digests: dict[str, str] = {}
        for key in self.contract.foreign_keys:
            parts = self.store.in_force(self.year, key.references, arrival.stage)
            if not parts:
                raise InputError(f"{arrival.name}: needs {key.references} of {self.year}, of which nothing is accepted; deliver that first")
            files[key.references] = [self.store.folder(s) / "accepted.parquet" for s in parts.values()]
            digests[f"{key.references}({','.join(key.to)})"] = self._digest(parts, key.to)
        return References(files), digests

    def _digest(self, parts: Mapping[str, Snapshot], key: tuple[str, ...]) -> str:
        return "+".join(s.keys[",".join(key)] for s in parts.values())

    def _keys_referred_to(self) -> list[tuple[str, ...]]:
        own = self.contract.collection
        return sorted({k.to for c in self.contracts.values() for k in c.foreign_keys if k.references == own})

    def _judge_again(self) -> None:
        """Judge what is in force again when its contract, or the key set it was held against, has changed."""
        for snapshot in self._in_force():
            arrival = Arrival(Path(), snapshot.file, self.year, snapshot.collection, snapshot.part, snapshot.stage)
            with self._refusing(lambda: (snapshot.sha256, snapshot.file)), self.store.work_folder() as work:
                if snapshot.contract_version == self.contract.version and self._references(arrival)[1] == snapshot.references:
                    continue
                kept = self.store.delivery(snapshot.sha256)
                prepared = prepare(kept, snapshot.file, work, self.limits, header_row=self.contract.header_row, sheet=self.contract.sheet)
                self._judge(_Candidate(arrival, snapshot.sha256, kept, prepared, work, snapshot.received), "revalidated")

    def _refuse(self, candidate: _Candidate, reason: str) -> None:
        self.store.refuse(self.year, candidate.sha256, candidate.arrival.name, reason)
        self.refusals.append(reason)

    @contextmanager
    def _refusing(self, about) -> Iterator[None]:  # type: ignore[no-untyped-def]
        """Turn a fault of one delivery into a refusal, so that the others go on; a full disk ends the intake."""
        try:
            yield
        except InputError as error:
            sha256, name = about()
            if sha256:
                self.store.refuse(self.year, sha256, name, str(error))
            self.refusals.append(str(error))
        except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
            if _is_full_disk(error):
                raise InputError(f"{self.settings.home}: the disk is full; free space and run again, nothing was changed") from None
            self.refusals.append(f"{about()[1]}: cannot be read ({_plain(error)}); check its permissions and deliver it again")


def unrecognised(year: int, settings: Settings, contracts: Mapping[str, Contract]) -> tuple[str, ...]:
    """One line for each file of the year that is no collection's delivery."""
    return scan(settings.landing, year, contracts).problems


def stages() -> tuple[str, ...]:
    """Stages that a delivery and a run can have."""
    return STAGES


def _first_row(quarantine: Path, field: str, rule: str) -> int:
    sql = "SELECT min(_row) FROM read_parquet(?) WHERE field = ? AND rule = ?"
    return duckdb.connect().execute(sql, [str(quarantine), field, rule]).fetchall()[0][0]


def _is_full_disk(error: Exception) -> bool:
    return getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error)


def _plain(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
