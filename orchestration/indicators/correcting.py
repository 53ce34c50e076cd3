"""Corrections: values of accepted rows that the ledger changes, one by one, before the models read them.

Belongs here: matching a ledger row to a record, the old value, the new one. Does not: deliveries, which stay as they
are; the models read a corrected copy, and the table applied_corrections keeps both values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from orchestration.engine import connect
from orchestration.errors import InputError
from orchestration.intake.contracts import Contract, ContractField
from orchestration.intake.field_rules import quote, typed, verdict, with_typed

LEDGER = "corrections"
APPLIED = "applied_corrections"
COLUMNS = {
    "school_year": "INTEGER", "collection": "VARCHAR", "org_code": "VARCHAR", "field": "VARCHAR",
    "old_value": "VARCHAR", "new_value": "VARCHAR", "decided_by": "VARCHAR", "reason": "VARCHAR",
    "effective_from": "DATE", "expires_on": "DATE", "citation": "VARCHAR",
    "ledger_delivery": "VARCHAR", "ledger_row": "BIGINT", "record_delivery": "VARCHAR", "record_row": "BIGINT",
}  # fmt: skip
"""Columns of applied_corrections. The record is named by its delivery and row, never by an identifier."""
_PLACES = ("school_code", "org_code")
"""Fields that say to which organisation a record belongs, in this order."""

Files = Mapping[str, Sequence[str]]
"""Collection to the Parquet files of its accepted rows."""


@dataclass(frozen=True)
class Correction:
    """A row of the ledger. `old_value` and `new_value` None stand for an empty value."""

    collection: str
    record_key: str
    field: str
    old_value: str | None
    new_value: str | None
    decided_by: str
    reason: str
    effective_from: date
    expires_on: date | None
    citation: str
    _delivery: str
    _row: int

    @property
    def where(self) -> str:
        return f"corrections, row {self._row}: {self.collection}.{self.field}"

    def in_force(self, day: date | None) -> bool:
        """Whether it counts on `day`; in a year without determinations every correction that has no last day counts."""
        if day is None:
            return self.expires_on is None
        return self.effective_from <= day and (self.expires_on is None or day <= self.expires_on)


def correct(
    year: int, accepted: Files, contracts: Mapping[str, Contract], day: date | None, work: Path
) -> tuple[dict[str, list[str]], list[tuple[Any, ...]]]:
    """Corrected copies of the collections of `year` that the ledger touches, and what was applied (COLUMNS).

    `day` is the policy's day on which decisions count. Raises InputError naming the ledger's row where the record is
    not there once, the old value does not match, or the new one breaks the collection's contract.
    """
    due = sorted(
        (c for c in _ledger(accepted.get(LEDGER, ())) if c.in_force(day)),
        key=lambda c: (c.collection, c.effective_from, c._delivery, c._row),
    )
    copies: dict[str, list[str]] = {}
    applied: list[tuple[Any, ...]] = []
    for collection in dict.fromkeys(c.collection for c in due):
        of_collection = [c for c in due if c.collection == collection]
        contract = contracts.get(collection)
        if contract is None or not accepted.get(collection):
            raise InputError(f"{of_collection[0].where}: nothing of this collection is in force in {year}")
        target = work / f"corrected-{year}-{collection}.parquet"
        with connect(work / "spill") as con:
            con.execute(f"CREATE TABLE records AS SELECT * FROM {_read(accepted[collection])}")
            applied += [_apply(con, c, contract, year, accepted) for c in of_collection]
            con.execute("COPY (FROM records ORDER BY _delivery, _row) TO $to (FORMAT parquet)", {"to": str(target)})
        copies[collection] = [str(target)]
    return copies, applied


def write_applied(rows: Sequence[tuple[Any, ...]], folder: Path) -> int:
    """Write applied_corrections as Parquet and CSV: number of rows."""
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    with connect() as con:
        con.execute(f"CREATE TABLE applied ({columns})")
        if rows:
            con.executemany(f"INSERT INTO applied VALUES ({', '.join('?' * len(COLUMNS))})", list(rows))
        for ending, form in (("parquet", "FORMAT parquet, COMPRESSION zstd"), ("csv", "FORMAT csv, HEADER")):
            con.execute(
                f"COPY (FROM applied ORDER BY ALL) TO $to ({form})", {"to": str(folder / f"{APPLIED}.{ending}")}
            )
    return len(rows)


def _ledger(files: Sequence[str]) -> Iterator[Correction]:
    if not files:
        return
    names = list(Correction.__dataclass_fields__)
    with connect() as con:
        for row in con.execute(f"SELECT {', '.join(names)} FROM {_read(files)}").fetchall():
            yield Correction(*row)


def _read(files: Sequence[str]) -> str:
    quoted = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    return f"read_parquet([{quoted}])"


def _apply(
    con: duckdb.DuckDBPyConnection, correction: Correction, contract: Contract, year: int, accepted: Files
) -> tuple[Any, ...]:
    """Change one value in the table records; the row of applied_corrections."""
    field = _field(correction, contract)
    key = _key(correction, contract)
    condition = " AND ".join(f"{quote(name)}::VARCHAR = ?" for name in key)
    place = next((name for name in _PLACES if name in contract.fields), None)
    old, new = (_value(con, field, v) for v in (correction.old_value, correction.new_value))
    found = con.execute(
        f"SELECT _delivery, _row, {quote(field.name)} IS NOT DISTINCT FROM ?, {quote(place) if place else 'NULL'} "
        f"FROM records WHERE {condition}",
        [old, *key.values()],
    ).fetchall()
    if len(found) != 1:
        raise InputError(
            f"{correction.where}: {len(found)} accepted records have this key; name one by {'; '.join(key)}"
        )
    delivery, row, matches, org = found[0]
    if not matches:
        raise InputError(
            f"{correction.where}: the record (delivery {delivery[:12]}, row {row}) does not hold the old value given; "
            "look at the delivery in force and correct the ledger"
        )
    _check_new(con, correction, field, contract, year, accepted)
    con.execute(f"UPDATE records SET {quote(field.name)} = ? WHERE {condition}", [new, *key.values()])
    c = correction
    return (
        year, c.collection, org or "", c.field, c.old_value, c.new_value, c.decided_by, c.reason, c.effective_from,
        c.expires_on, c.citation, c._delivery, c._row, delivery, row,
    )  # fmt: skip


def _field(correction: Correction, contract: Contract) -> ContractField:
    """The field, if it may be corrected: what identifies a record or its delivery may not."""
    fixed = {*contract.primary_key, contract.year_field, contract.parts.field if contract.parts else None}
    if correction.field not in contract.fields:
        raise InputError(f"{correction.where}: the collection has no such field")
    if correction.field in fixed:
        raise InputError(f"{correction.where}: part of the record's key; deliver the collection anew instead")
    return contract.fields[correction.field]


def _key(correction: Correction, contract: Contract) -> dict[str, str]:
    """`sasid=1000000001; school_code=00350062` as a mapping of exactly the key's fields."""
    pairs = [part.partition("=") for part in correction.record_key.split(";")]
    key = {name.strip(): value.strip() for name, _, value in pairs}
    if {*key} != {*contract.primary_key} or len(pairs) != len(key):
        wanted = "; ".join(f"{name}=…" for name in contract.primary_key)
        raise InputError(f"{correction.where}: record_key must be written as {wanted}")
    return key


def _value(con: duckdb.DuckDBPyConnection, field: ContractField, value: str | None) -> Any:
    """A ledger's text in the type of the field."""
    query = f"SELECT {typed(field)} FROM (SELECT ?::VARCHAR AS {quote(field.name)})"
    return con.execute(query, [value]).fetchall()[0][0]


def _check_new(
    con: duckdb.DuckDBPyConnection,
    correction: Correction,
    field: ContractField,
    contract: Contract,
    year: int,
    accepted: Files,
) -> None:
    values = with_typed([field], f"(SELECT ?::VARCHAR AS {quote(field.name)})")
    query = f"SELECT {verdict(field, contract, year=year, part='')} FROM ({values})"
    if broken := con.execute(query, [correction.new_value]).fetchall()[0][0]:
        raise InputError(f"{correction.where}: the new value breaks the rule '{broken}' of the contract")
    for key in contract.foreign_keys:
        if key.fields == (field.name,) and correction.new_value is not None and accepted.get(key.references):
            known = f"SELECT 1 FROM {_read(accepted[key.references])} WHERE {quote(key.to[0])}::VARCHAR = ? LIMIT 1"
            if not con.execute(known, [correction.new_value]).fetchall():
                raise InputError(f"{correction.where}: the new value is not in {key.references}.{key.to[0]}")
