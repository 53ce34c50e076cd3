"""What still holds of the tables made before: scores of organisations that rest on just what they rested on then.

Belongs here: writing down what scores were made from, telling whose still hold, giving their rows again. Does not: any
rule, nor what needs all organisations, which is made anew each time.

An organisation's targets, points and percentages are made from policy and code, the tables of earlier years, the prior
year's release, its own rows of the year, and statewide values. `building` asks only where the first three are what
they were; the others are compared here. A delivery that corrects a few rows changes a few organisations of thousands.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.determinations.comparisons import pools
from orchestration.determinations.figures import Cell, Result
from orchestration.determinations.ledgers import AppliedCorrection
from orchestration.determinations.reading import Organisation
from orchestration.determinations.rendering import SCORED, TRACE, UNNUMBERED
from orchestration.determinations.scoring import STATE, Statewide
from orchestration.files import sha256_of

FILE = "scored_from.json"
"""Beside the tables."""
OWN = {
    "indicator_results": ", ".join(Result._fields),
    "organisations": ", ".join(Organisation._fields),
    "applied_corrections": ", ".join(AppliedCorrection._fields),
    "published_targets": "*",
}
"""Table of the year to the columns that the scores of an organisation are made from."""


@dataclass(frozen=True)
class ScoredFrom:
    """What scores were made from: organisation to digest of its own rows, pool to its statewide values, and a digest
    of what everybody's rest on: the organisations of the directory, who make the baselines, and the typical gains."""

    rows: Mapping[str, str]
    statewide: Mapping[str, Mapping[str, str]]
    common: str


@dataclass(frozen=True)
class Holding:
    """Scores that still hold: the folder of their tables, organisation to the number of steps that scoring made."""

    folder: Path
    steps: Mapping[str, int]

    def rows(self, name: str) -> Iterator[pa.Table]:
        """Rows of one table, in order; of the trace only the steps of the scores, without their numbers."""
        as_codes = [field.name for field in UNNUMBERED if pa.types.is_dictionary(field.type)] if name == TRACE else None
        with pq.ParquetFile(self.folder / f"{name}.parquet", read_dictionary=as_codes) as source:
            for group in range(source.num_row_groups):
                table = source.read_row_group(group)
                codes = table.column("org_code").combine_chunks().dictionary_encode()
                most = np.array([self.steps.get(code, -1) for code in codes.dictionary.to_pylist()], dtype=np.int64)
                most = most[codes.indices.to_numpy()]
                if name == TRACE:
                    table = table.filter(pa.array(table.column("step").to_numpy() <= most)).select(UNNUMBERED.names)
                    yield table.cast(UNNUMBERED)
                else:
                    yield table.filter(pa.array(most >= 0))


def own_rows(tables: Path) -> dict[str, str]:
    """Organisation to a digest of its rows in the year's indicator tables."""
    there = {name: columns for name, columns in OWN.items() if (tables / f"{name}.parquet").exists()}
    rows = " UNION ALL ".join(
        f"SELECT coalesce(org_code, '') AS org_code, sha256('{name}' || t::VARCHAR) AS of_row FROM "
        f"(SELECT {columns} FROM read_parquet(?)) AS t"
        for name, columns in there.items()
    )
    with duckdb.connect() as con:
        return dict(
            con.execute(
                f"SELECT org_code, sha256(string_agg(of_row, '' ORDER BY of_row)) FROM ({rows}) GROUP BY ALL",
                [str(tables / f"{name}.parquet") for name in there],
            ).fetchall()
        )


def scored_from(rows: Mapping[str, str], directory: Iterable[str], values: Statewide) -> ScoredFrom:
    """What is compared the next time."""
    known = values.comparisons
    statewide = {
        "/".join(pool): {str(percentile): str(value) for percentile, value in known.values.get(pool, {}).items()}
        for pool in known.steps
    }
    common = repr((sorted(directory), sorted(values.basis.typical.items())))
    return ScoredFrom(rows, statewide, hashlib.sha256(common.encode()).hexdigest())


def keep(folder: Path, made_from: ScoredFrom, steps: Mapping[str, int]) -> None:
    """Write down what the scores in `folder` were made from, when its tables are complete."""
    files = {name: sha256_of(folder / f"{name}.parquet") for name in SCORED}
    (folder / FILE).write_text(json.dumps({**asdict(made_from), "steps": steps, "files": files}, sort_keys=True))


def holding(folder: Path, now: ScoredFrom, figures: Mapping[str, Mapping[Cell, Result]]) -> Holding:
    """Whose scores in `folder` still hold. `figures`: organisation to its figures of the year.

    Nobody's where an organisation came or went, what all have in common is another, or a table has other bytes than
    it was written with.
    """
    nobody = Holding(folder, {})
    if not (folder / FILE).exists():
        return nobody
    before = json.loads((folder / FILE).read_bytes())
    if before["rows"].keys() != now.rows.keys() or before["common"] != now.common:
        return nobody
    if any(sha256_of(folder / f"{name}.parquet") != digest for name, digest in before["files"].items()):
        return nobody
    moved = {
        tuple(name.split("/"))
        for name in before["statewide"].keys() | now.statewide.keys()
        if before["statewide"].get(name) != now.statewide.get(name)
    }

    @cache  # a few hundred cells stand behind all figures
    def is_touched(cell: Cell) -> bool:
        return not moved.isdisjoint(pools(*cell).values())

    same = (org for org, digest in now.rows.items() if org != STATE and before["rows"][org] == digest)
    return Holding(
        folder, {org: before["steps"].get(org, 0) for org in same if not any(map(is_touched, figures.get(org, ())))}
    )
