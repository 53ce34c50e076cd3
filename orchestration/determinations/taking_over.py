"""What still holds of the tables made before: scores of organisations that rest on just what they rested on then.

Belongs here: writing down what scores were made from, telling whose still hold, giving their rows again. Does not: any
rule, nor what needs all organisations, which is made anew each time.

An organisation's targets, points and percentages are made from policy and code, the tables of earlier years, the prior
year's release, its own rows of the year, and statewide values. `building` asks only where the first three are what
they were; the others are compared here. A delivery that corrects a few rows changes a few organisations of thousands.
It may move a statewide value, which many are held against: where none of their points is another for that, their rows
hold too, but for what is written down of the comparison.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.determinations.comparisons import pools
from orchestration.determinations.figures import Cell, Result
from orchestration.determinations.ledgers import AppliedCorrection
from orchestration.determinations.reading import Organisation
from orchestration.determinations.rendering import SCORED, TABLES, TRACE, UNNUMBERED, trace_table
from orchestration.determinations.scoring import STATE, Statewide
from orchestration.determinations.trace import Step
from orchestration.engine import connect
from orchestration.files import sha256_of

FILE = "scored_from.json"
"""Beside the tables."""
_TEXTS = ", ".join(f"coalesce({name}::VARCHAR, '-')" for name in Result._fields)
OWN = {
    "indicator_results": f"concat_ws('/', {_TEXTS})",
    "organisations": f"row({', '.join(Organisation._fields)})::VARCHAR",
    "applied_corrections": f"row({', '.join(AppliedCorrection._fields)})::VARCHAR",
    "published_targets": "t::VARCHAR",
}
"""Table of the year to what the scores of an organisation are made from in a row, as text. Those of the first are many,
and numbers and words of which none has a slash or is a dash: joining them takes half as long."""
FEW = 4
"""Weighing a figure costs about so many times what scoring it does: above that share of them it is no gain."""


@dataclass(frozen=True)
class ScoredFrom:
    """What scores were made from: organisation to digest of its own rows, pool to its statewide values, and a digest
    of what everybody's rest on: the organisations of the directory, who make the baselines, and the typical gains."""

    rows: Mapping[str, str]
    statewide: Mapping[str, Mapping[str, str]]
    common: str


@dataclass(frozen=True)
class Holding:
    """Scores that still hold: the folder of their tables, organisation to the number of steps that scoring made.

    `touched`: those of them with figures that are held against a statewide value which has moved; `weighed` says
    whether their scores hold. `given`: steps (key) that were given something else than before (inputs).
    """

    folder: Path
    steps: Mapping[str, int]
    touched: Mapping[str, Sequence[Cell]] = field(default_factory=dict)
    given: pa.Table | None = None

    def rows(self, name: str) -> Iterator[pa.Table]:
        """Rows of one table, in order; of the trace only the steps of the scores, without their numbers."""
        as_codes = ["parameters"] if name == TRACE else None
        with pq.ParquetFile(self.folder / f"{name}.parquet", read_dictionary=as_codes) as source:
            for group in range(source.num_row_groups):
                table = source.read_row_group(group)
                codes = table.column("org_code").combine_chunks().dictionary_encode()
                most = np.array([self.steps.get(code, -1) for code in codes.dictionary.to_pylist()], dtype=np.int64)
                most = most[codes.indices.to_numpy()]
                if name == TRACE:
                    table = table.filter(pa.array(table.column("step").to_numpy() <= most)).select(UNNUMBERED.names)
                    yield self._given_anew(table.cast(UNNUMBERED))
                else:
                    yield table.filter(pa.array(most >= 0))

    def _given_anew(self, steps: pa.Table) -> pa.Table:
        if self.given is None:
            return steps
        places = pc.index_in(steps.column("key"), value_set=self.given.column("key"))
        now = pc.coalesce(self.given.column("inputs").take(places), steps.column("inputs"))
        return steps.set_column(steps.schema.get_field_index("inputs"), "inputs", now)


def own_rows(tables: Path) -> dict[str, str]:
    """Organisation to a digest of its rows in the year's indicator tables."""
    there = {name: row for name, row in OWN.items() if (tables / f"{name}.parquet").exists()}
    rows = " UNION ALL ".join(
        f"SELECT coalesce(org_code, '') AS org_code, md5('{name}' || {row}) AS of_row FROM read_parquet(?) AS t"
        for name, row in there.items()
    )
    with connect() as con:
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
    moved = [
        name
        for name in before["statewide"].keys() | now.statewide.keys()
        if before["statewide"].get(name) != now.statewide.get(name)
    ]
    comparable = {n for n in moved if before["statewide"].get(n, {}).keys() == now.statewide.get(n, {}).keys()}
    others, valued = ({tuple(n.split("/")) for n in names} for names in ({*moved} - comparable, comparable))

    @cache  # a few hundred cells stand behind all figures
    def reached(cell: Cell) -> tuple[bool, bool]:
        among = pools(*cell).values()
        return not others.isdisjoint(among), not valued.isdisjoint(among)

    steps: dict[str, int] = {}
    touched: dict[str, list[Cell]] = {}
    for org, digest in now.rows.items():
        if org == STATE or before["rows"][org] != digest:
            continue
        cells = figures.get(org, {})
        at = [cell for cell in cells if reached(cell)[1]]
        if any(reached(cell)[0] for cell in cells) or len(at) * FEW > len(cells):
            continue
        steps[org] = before["steps"].get(org, 0)
        if at:
            touched[org] = at
    return Holding(folder, steps, touched)


def weighed(held: Holding, again: Iterable[Step]) -> Holding:
    """What of `held` still holds, once the points of the touched figures were decided `again`: steps of theirs.

    An organisation's scores hold if each of these steps says what it said, and no more than its inputs differ.
    """
    now = trace_table(again)
    columns = [name for name in now.column_names if name != "inputs"]
    few = [name for name in columns if name not in ("key", "upstream")]  # values that differ: as codes until wanted
    with pq.ParquetFile(held.folder / f"{TRACE}.parquet", read_dictionary=few) as source:
        groups = (source.read_row_group(group, columns) for group in range(source.num_row_groups))
        asked = [rows.filter(pc.is_in(rows.column("key"), value_set=now.column("key"))) for rows in groups]
    before = pa.concat_tables(asked).unify_dictionaries()
    before = before.take(pc.index_in(now.column("key"), value_set=before.column("key")))
    texts = pa.schema((name, TABLES[TRACE][name]) for name in columns)
    before, after = before.cast(texts), now.select(columns).cast(texts)
    same = np.logical_and.reduce([pc.fill_null(pc.equal(before[n], after[n]), False).to_numpy() for n in columns])
    other = set(now.column("org_code").filter(pa.array(~same)).to_pylist())
    steps = {org: count for org, count in held.steps.items() if org not in other}
    return Holding(held.folder, steps, given=now.select(["key", "inputs"]).filter(pa.array(same)))
