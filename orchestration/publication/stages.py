"""What a release of a stage must hold: what may still be missing before the official one.

Belongs here: the policy's rules for stages, held against gathered tables. Does not: the gates of the rooms.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow.compute as pc

from orchestration.errors import InputError
from orchestration.policy import PolicyRow, Register
from orchestration.publication.gathering import Gathered
from orchestration.tables import read_table

STAGES = ("preliminary", "official")
"""In the order of the year."""
OK = "ok"


def missing_at(gathered: Gathered, stage: str, register: Register) -> list[str]:
    """One line for each thing that the policy wants from this stage on and that is not there.

    Rules: `delivered_from` (a collection has been delivered for the year, even without rows), `filled_from` (a column
    has no empty cell in rows of status ok), `rows_from` (a table has rows). Parameters are `<source>.<name>`.
    """
    found = []
    for row in register.rows:
        if row.rule_id not in ("delivered_from", "filled_from", "rows_from"):
            continue
        if row.policy_year not in ("every", str(gathered.year)) or not _due(row, stage):
            continue
        source, _, name = row.parameter.partition(".")
        if source == gathered.source:
            found += [
                f"{line}, which the policy wants from the {row.value} stage on" for line in _faults(row, name, gathered)
            ]
    return found


def _due(row: PolicyRow, stage: str) -> bool:
    if row.value not in STAGES:
        raise InputError(f"{row.where}: stage '{row.value}' is not one of {', '.join(STAGES)}")
    return STAGES.index(row.value) <= STAGES.index(stage)


def _faults(row: PolicyRow, name: str, gathered: Gathered) -> Iterator[str]:
    if row.rule_id == "delivered_from":
        if not any(i["collection"] == name and i["year"] == gathered.year for i in gathered.inputs):
            yield f"{name}: nothing was delivered for {gathered.year}"
        return
    table, _, column = name.partition(".")
    if table not in gathered.tables:  # a year without determinations has none
        return
    if row.rule_id == "rows_from":
        if not gathered.rows[table]:
            yield f"{table}: has no rows"
        return
    file = gathered.tables[table] / f"{table}.parquet"
    columns = read_table(file, columns=[column, "status"])
    empty = pc.and_(pc.is_null(columns[column]), pc.equal(columns["status"], OK))
    if count := pc.sum(empty).as_py():
        yield f"{table}.{column}: empty in {count} rows of status {OK}"
