"""Judging a delivery again by its references alone: the keys that it refers to are others now, all else is as it was.

Belongs here: which keys came and went, which accepted rows are about one that went. Does not: judging delivered rows
(`validating`). Where what becomes of a row cannot be told without the delivered rows, they are judged again.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

import duckdb
import pyarrow as pa

from orchestration.engine import connect
from orchestration.identifiers import hashed
from orchestration.intake.contracts import Contract, ForeignKey
from orchestration.intake.field_rules import quote, text
from orchestration.intake.pieces import (
    QUARANTINE,
    in_pieces,
    numbers_of,
    piece_name,
    read_files,
    write_pieces,
    write_rows,
)
from orchestration.intake.preparing import ROW
from orchestration.intake.store import Snapshot, Store
from orchestration.intake.validating import FOREIGN_KEY, NO_SUCH_VALUE, Outcome, digest_of_keys

Files: TypeAlias = tuple[Path, ...]


def judge_by_references(
    snapshot: Snapshot,
    contract: Contract,
    now: Mapping[str, Mapping[str, Snapshot]],
    store: Store,
    built: Path,
    keys: Sequence[tuple[str, ...]],
) -> Outcome | None:
    """Write into `built` the very files that judging the delivered rows of `snapshot` again would give.

    `contract` is the one that it was judged by; `now`: collection to its snapshots in force, by part; `keys`: those of
    its own that others refer to. None, and nothing is written, where that needs the delivered rows: one that was set
    aside may be about a key that came or went, or files are not as they were or not in pieces.
    """
    if not in_pieces(snapshot.accepted_files) or not store.has_rows(snapshot):
        return None
    with connect(built.parent / "spill", memory_limit="3GB") as con:
        asked = _Asked(con, snapshot, contract, store)
        if not all(asked.can_tell(key, now[key.references].values()) for key in contract.foreign_keys):
            return None
        return asked.judged(built, keys)


class _Asked:
    """One snapshot, held against one set of keys after another. Table `lost`: (_row, field) of accepted rows that refer
    to a key that went."""

    def __init__(self, con: duckdb.DuckDBPyConnection, snapshot: Snapshot, contract: Contract, store: Store):
        self._con, self._snapshot, self._store = con, snapshot, store
        self._student = next((field.name for field in contract.fields.values() if field.type == "student_id"), None)
        con.execute(f"CREATE TABLE lost ({ROW} BIGINT, field VARCHAR)")

    def can_tell(self, key: ForeignKey, now: Collection[Snapshot]) -> bool:
        """Whether no row that was set aside may be about a key that came or went; accepted ones go into `lost`."""
        before = self._before(key)
        if before is None:
            return False
        moved = self._moved(key, before, now)
        if not (moved and moved.num_rows):
            return True
        self._con.register("moved", moved)
        same = " AND ".join(f"r.{quote(own)} = gone.{quote(to)}" for own, to in zip(key.fields, key.to, strict=True))
        self._con.execute(
            f"INSERT INTO lost SELECT {ROW}, {text(key.fields[0])} FROM {self._accepted()} r "
            f"SEMI JOIN (SELECT * FROM moved WHERE went) gone ON {same}"
        )
        if not self._snapshot.quarantined:
            return True
        if key.fields != (self._student,):
            return False  # an entry of the quarantine says of nothing but the student what its row referred to
        subjects = f"SELECT {self._subject(key.to[0])} FROM moved"
        return not self._any(f"SELECT 1 FROM {self._quarantine()} WHERE subject IN ({subjects})")

    def judged(self, built: Path, keys: Sequence[tuple[str, ...]]) -> Outcome:
        """The files with the rows in `lost` set aside, and what became of all."""
        was, con = self._snapshot, self._con
        lost = dict(con.execute("SELECT field, count(*) FROM lost GROUP BY ALL").fetchall())
        rows = con.execute(f"SELECT count(DISTINCT {ROW}) FROM lost").fetchall()[0][0]
        digests = was.keys
        if not rows:
            self._keep(was.files, built)
        else:
            subject = self._subject(f"r.{quote(self._student)}") if self._student else "NULL::VARCHAR"
            violations = (
                f"SELECT * FROM {self._quarantine()} UNION ALL "
                f"SELECT r._delivery, {ROW}, l.field, {text(FOREIGN_KEY)}, {text(NO_SUCH_VALUE)}, {subject} "
                f"FROM lost l JOIN {self._accepted()} r USING ({ROW})"
            )
            write_rows(con, f"SELECT * FROM ({violations}) ORDER BY {ROW}, field, rule", built / QUARANTINE)
            accepted = self._without_lost(built)
            digests = {",".join(key): digest_of_keys(con, accepted, key) for key in keys}
        counts = Counter({(field, rule): n for field, rule, n in was.violations})
        counts.update({(field, FOREIGN_KEY): n for field, n in lost.items()})
        return Outcome(
            rows=was.rows,
            accepted=was.accepted - rows,
            quarantined=was.quarantined + rows,
            violations=dict(sorted(counts.items())),
            repairs=was.repairs,
            ignored=tuple(was.ignored),
            unknown=tuple(was.unknown),
            keys=digests,
        )

    def _without_lost(self, built: Path) -> list[Path]:
        """The pieces that are left of the accepted rows: as they were where no row was lost."""
        left = f"(SELECT * FROM {self._accepted()} ANTI JOIN lost USING ({ROW}))"
        touched = numbers_of(self._con, "lost")
        numbers = numbers_of(self._con, left) or touched[:1]
        self._keep((piece_name(number) for number in numbers if number not in touched), built)
        write_pieces(self._con, left, built, (number for number in numbers if number in touched))
        return [built / piece_name(number) for number in numbers]

    def _keep(self, names: Iterable[str], built: Path) -> None:
        for name in names:
            shutil.copyfile(self._store.folder(self._snapshot) / name, built / name)

    def _before(self, key: ForeignKey) -> list[Snapshot] | None:
        """Snapshots with the keys that it was held against; None where they are not known any more."""
        known = {_digest(s, key): s for s in self._store.snapshots(self._snapshot.year, key.references)}
        found = [known.get(digest) for digest in self._snapshot.references[key.of].split("+")]
        there = [snapshot for snapshot in found if snapshot and self._store.has_rows(snapshot)]
        return there if len(there) == len(found) else None

    def _moved(self, key: ForeignKey, before: Collection[Snapshot], now: Collection[Snapshot]) -> pa.Table | None:
        """The keys that only one of both sides has; None where both are known to have the same."""
        both = {_digest(s, key) for s in before} & {_digest(s, key) for s in now}
        left, right = ([s for s in side if _digest(s, key) not in both] for side in (before, now))
        if not (left or right):
            return None
        same = [s for s in now if _digest(s, key) in both]
        return _one_sided(key.to, *(tuple(self._files(of)) for of in (left, right, same)))

    def _subject(self, student: str) -> str:
        return hashed(text(self._store.identifier_key().hex()), student)

    def _quarantine(self) -> str:
        return read_files([self._store.folder(self._snapshot) / QUARANTINE])

    def _accepted(self) -> str:
        return read_files(self._files([self._snapshot]))

    def _files(self, snapshots: Iterable[Snapshot]) -> list[Path]:
        return [path for snapshot in snapshots for path in self._store.accepted(snapshot)]

    def _any(self, query: str) -> bool:
        return bool(self._con.execute(f"{query} LIMIT 1").fetchall())


@lru_cache(maxsize=8)  # several collections refer to the same keys; the files never change
def _one_sided(key: tuple[str, ...], before: Files, now: Files, both: Files) -> pa.Table:
    """The keys in the files of one side that are neither in those of the other nor in those of both; `went`: they were
    there before."""
    columns = ", ".join(map(quote, key))
    sides = " UNION ALL ".join(
        f"SELECT {columns}, {was} AS was FROM {read_files(files)}"
        for files, was in ((before, True), (now, False))
        if files
    )
    elsewhere = f" ANTI JOIN {read_files(both)} USING ({columns})" if both else ""
    with connect() as con:
        return con.sql(
            f"SELECT * FROM (SELECT {columns}, bool_and(was) AS went FROM ({sides}) GROUP BY {columns} "
            f"HAVING bool_and(was) = bool_or(was)){elsewhere}"
        ).to_arrow_table()


def _digest(snapshot: Snapshot, key: ForeignKey) -> str:
    return snapshot.keys.get(",".join(key.to), "")
