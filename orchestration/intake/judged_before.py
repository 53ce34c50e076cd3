"""Whether a delivery would be judged as it was, although the keys that it refers to are others now.

Belongs here: which keys came and went, and whether a row of the delivery is about one of them. Does not: judging
(`validating`). Where this cannot be told without the delivered rows, the answer is no and they are judged again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import duckdb

from orchestration.identifiers import hashed
from orchestration.intake.contracts import Contract, ForeignKey
from orchestration.intake.field_rules import quote, text
from orchestration.intake.store import Snapshot, Store


def stands(snapshot: Snapshot, contract: Contract, now: Mapping[str, Mapping[str, Snapshot]], store: Store) -> bool:
    """Whether the same rows of `snapshot` would be accepted and set aside, for the same reasons.

    `contract` is the one that it was judged by; `now`: collection to its snapshots in force, by part.
    """
    if not store.has_rows(snapshot):
        return False
    with duckdb.connect() as con:
        asked = _Asked(con, snapshot, contract, store)
        return all(asked.stands(key, now[key.references].values()) for key in contract.foreign_keys)


class _Asked:
    """One snapshot, held against one set of keys after another."""

    def __init__(self, con: duckdb.DuckDBPyConnection, snapshot: Snapshot, contract: Contract, store: Store):
        self._con, self._snapshot, self._store = con, snapshot, store
        self._student = next((field.name for field in contract.fields.values() if field.type == "student_id"), None)

    def stands(self, key: ForeignKey, now: Collection[Snapshot]) -> bool:
        """Whether no row is about a key that came or went."""
        before = self._before(key)
        if before is None:
            return False
        gone, come = self._difference("gone", key, before, now), self._difference("come", key, now, before)
        same = " AND ".join(f"r.{quote(own)} = gone.{quote(to)}" for own, to in zip(key.fields, key.to, strict=True))
        if gone and self._any(f"SELECT 1 FROM {self._rows('accepted', self._snapshot)} r SEMI JOIN gone ON {same}"):
            return False
        if not self._snapshot.quarantined or not (gone or come):
            return True
        if key.fields != (self._student,):
            return False  # an entry of the quarantine says of nothing but the student what its row referred to
        subject = hashed(text(self._store.identifier_key().hex()), quote(key.to[0]))
        moved = f"SELECT {subject} FROM gone UNION ALL SELECT {subject} FROM come"
        entries = self._rows("quarantine", self._snapshot)
        return not self._any(f"SELECT 1 FROM {entries} WHERE subject IN ({moved})")

    def _before(self, key: ForeignKey) -> list[Snapshot] | None:
        """Snapshots with the keys that it was held against; None where they are not known any more."""
        known = {_digest(s, key): s for s in self._store.snapshots(self._snapshot.year, key.references)}
        found = [known.get(digest) for digest in self._snapshot.references[key.of].split("+")]
        there = [snapshot for snapshot in found if snapshot and self._store.has_rows(snapshot)]
        return there if len(there) == len(found) else None

    def _difference(
        self, table: str, key: ForeignKey, these: Collection[Snapshot], those: Collection[Snapshot]
    ) -> bool:
        """Make a table of the keys of `these` that `those` lack. Whether there are any."""
        others = {_digest(snapshot, key) for snapshot in those}
        changed = [snapshot for snapshot in these if _digest(snapshot, key) not in others]
        columns = ", ".join(map(quote, key.to))
        left, right = (f"SELECT {columns} FROM {self._rows('accepted', *of)}" for of in (changed or these, those))
        where = "" if changed else " WHERE false"
        self._con.execute(f"CREATE OR REPLACE TABLE {table} AS {left}{where} EXCEPT {right}")
        return self._any(f"SELECT 1 FROM {table}")

    def _rows(self, file: str, *snapshots: Snapshot) -> str:
        files = ", ".join(text(self._store.folder(snapshot) / f"{file}.parquet") for snapshot in snapshots)
        return f"read_parquet([{files}])"

    def _any(self, query: str) -> bool:
        return self._con.execute(f"{query} LIMIT 1").fetchone() is not None


def _digest(snapshot: Snapshot, key: ForeignKey) -> str:
    return snapshot.keys.get(",".join(key.to), "")
