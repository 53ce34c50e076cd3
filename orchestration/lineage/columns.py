"""Which columns each column is made from, through every room: dbt's as compiled, Python's as declared beside the room.

Belongs here: putting the rooms together under one naming. Does not: how a room's lineage came about
(`indicators/cataloguing` computes, `<room>/lineage.yml` declares; tests hold both against the code).

`raw/<collection>` is a collection, `seeds/<seed>` a seed of the dbt project, any other name a table or model. The table
itself stands for its release of the year before. The files are part of the code and read once; do not change what is
returned.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TypeAlias

import yaml

from orchestration.lineage.models import load_models

COMPUTED = Path(__file__).with_name("columns.json")
ROOMS = ("indicators", "determinations", "assistance")
"""Rooms with tables that Python makes; each has its lineage.yml."""
SHARED = "shared"
"""Part of a lineage.yml that only holds lists to refer to."""
RAW, SEEDS = "raw/", "seeds/"

Upstream: TypeAlias = list[tuple[str, str]]
Lineage: TypeAlias = dict[str, dict[str, Upstream]]
"""Table to column to what it is made from: (table, column), sorted. Empty: a constant or an argument of the run."""


@cache
def column_lineage(source: str | None = None) -> Lineage:
    """The lineage of every table and model; with `source` that of its build, without the other source's models."""
    found = _everything()
    if source is None:
        return found
    other = {name for name, model in load_models().items() if source not in model.sources}
    return {
        table: {column: [pair for pair in pairs if pair[0] not in other] for column, pairs in columns.items()}
        for table, columns in found.items()
        if table not in other
    }


def declared_lineage(room: str) -> dict[str, dict[str, list[str]]]:
    """What the lineage.yml of a room says: table to column to `table.column`, where a column may be a pattern."""
    path = Path(__file__).parents[1] / room / "lineage.yml"
    found = yaml.safe_load(path.read_bytes())
    return {table: columns for table, columns in found.items() if table != SHARED}


def upstream_tables(lineage: Mapping[str, Upstream], table: str) -> list[str]:
    """Names of what a table is made from, without seeds and without itself, sorted."""
    names = {name for pairs in lineage.values() for name, _ in pairs}
    return sorted(name for name in names if name != table and not name.startswith(SEEDS))


def _everything() -> Lineage:
    found = {table: _pairs(columns, {}) for table, columns in json.loads(COMPUTED.read_bytes()).items()}
    known = {name: tuple(model.columns) for name, model in load_models().items()}
    for room in ROOMS:
        declared = declared_lineage(room)
        known |= {table: tuple(columns) for table, columns in declared.items()}
        found |= {table: _pairs(columns, known) for table, columns in declared.items()}
    return found


def _pairs(columns: Mapping[str, list[str]], known: Mapping[str, tuple[str, ...]]) -> dict[str, Upstream]:
    return {
        column: sorted({pair for name in _flat(names) for pair in _expanded(name, known)})
        for column, names in columns.items()
    }


def _flat(names: object) -> Iterator[str]:
    """Names of a list that may hold lists: those of `shared` are referred to whole."""
    if isinstance(names, str):
        yield names
    elif isinstance(names, list):
        for name in names:
            yield from _flat(name)


def _expanded(name: str, known: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """`table.column` as a pair; a pattern as every column of the table that it fits."""
    table, _, column = name.partition(".")
    if "*" not in column:
        yield table, column
        return
    yield from ((table, one) for one in known[table] if fnmatchcase(one, column))
