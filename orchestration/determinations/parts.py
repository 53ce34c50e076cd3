"""Scored organisations on their way to the tables: a part at a time is in memory, the others wait in files.

Belongs here: scoring part after part into a folder, reading the parts again, and the rows of organisations whose scores
still hold between them. Does not: who scores which organisations (`sharing`), whose scores hold (`taking_over`), nor
what is written in the end (`writing`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from orchestration.determinations.determining import PROGRESS, Progress, Standing, ranked, standing_of
from orchestration.determinations.reading import Inputs
from orchestration.determinations.rendering import RANKED, Tables, ranked_tables, scored_tables
from orchestration.determinations.report_columns import ALL_STUDENTS
from orchestration.determinations.scoring import Statewide, score
from orchestration.determinations.taking_over import Holding
from orchestration.determinations.year_rules import YearRules

TOGETHER = 10
"""Organisations of one part: some ten thousand steps."""


def score_into(
    folder: Path, inputs: Inputs, rules: YearRules, values: Statewide | None, organisations: Sequence[str]
) -> None:
    """Score `organisations` into a file a table."""
    with ExitStack() as open_files:
        files: dict[str, Any] = {}
        for start in range(0, max(1, len(organisations)), TOGETHER):
            part = score(inputs, rules, values, organisations[start : start + TOGETHER])
            for name, table in scored_tables(part, inputs).items():
                if name not in files:
                    file = folder / f"{name}.arrows"
                    files[name] = open_files.enter_context(pa.ipc.new_stream(file, table.schema))
                files[name].write_table(table)


def rank_into(folder: Path, inputs: Inputs, rules: YearRules) -> None:
    """Rank every school into a file a table."""
    for name, table in ranked_tables(ranked(inputs, rules), inputs).items():
        with pa.ipc.new_stream(folder / f"ranked-{name}.arrows", table.schema) as file:
            file.write_table(table)


def ranked_in(folder: Path) -> Tables:
    """The tables that `rank_into` has written."""
    return {name: pa.concat_tables(Parts([folder], f"ranked-{name}")) for name in RANKED}


class Parts:
    """The rows of one table in order of organisations, each whole in one table, as often as they are asked for.

    `folders`: those that organisations were scored into. `held`: the scores of others that still hold, if any.
    """

    def __init__(self, folders: Iterable[Path], name: str, held: Holding | None = None):
        self.files, self.name, self.held = [folder / f"{name}.arrows" for folder in folders], name, held

    def __iter__(self) -> Iterator[pa.Table]:
        return self._scored() if self.held is None else _among(self.held.rows(self.name), self._scored())

    def _scored(self) -> Iterator[pa.Table]:
        for file in self.files:
            with pa.memory_map(str(file)) as source, pa.ipc.open_stream(source) as batches:
                for batch in batches:
                    yield pa.Table.from_batches([batch])


def _among(held: Iterable[pa.Table], scored: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The rows of both in order of organisations."""
    others = pa.concat_tables(scored)  # in files, not in memory
    codes, done = others.column("org_code").to_pylist(), 0
    for table in _whole(held):
        end = bisect_right(codes, table.column("org_code")[-1].as_py())
        yield in_order(table, others.slice(done, end - done)) if end > done else table
        done = end
    if done < len(codes):
        yield others.slice(done)


def _whole(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The rows anew in tables that do not break off within an organisation; none is empty."""
    waiting: pa.Table | None = None
    for table in tables:
        joined = table if waiting is None else pa.concat_tables([waiting, table])
        codes = joined.column("org_code").to_pylist()
        last = bisect_left(codes, codes[-1]) if codes else 0
        if last:
            yield joined.slice(0, last)
        waiting = joined.slice(last)
    if waiting is not None and waiting.num_rows:
        yield waiting


def in_order(*tables: pa.Table) -> pa.Table:
    """Their rows by organisation, those of one in the order of the tables and in which they stood there."""
    rows = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    return rows.take(pc.sort_indices(rows, [("org_code", "ascending")]))  # stable


def progress_in(percentages: Iterable[pa.Table]) -> dict[str, dict[str, Progress]]:
    """Organisation to kind to its percentage of all students, from the rows of target_percentages."""
    found: dict[str, dict[str, Progress]] = defaultdict(dict)
    names = ("org_code", "student_group", "stage", "shown", "trace_key")
    for part in percentages:
        for org, group, stage, shown, key in zip(*(part.column(name).to_pylist() for name in names), strict=True):
            if group == ALL_STUDENTS and stage in PROGRESS:
                found[org][stage] = Progress(shown, key)
    return found


def standing_in(among: Tables) -> dict[str, dict[str, Standing]]:
    """Organisation to student group to its standing, from the rows of accountability_percentiles."""
    rows = among["accountability_percentiles"]
    names = ("org_code", "student_group", "percentile", "alone")
    return standing_of(zip(*(rows.column(name).to_pylist() for name in names), strict=True))


def counted(parts: Iterable[pa.Table], steps: Counter[str]) -> Iterator[pa.Table]:
    """The parts, while the rows of each organisation are counted."""
    for part in parts:
        for count in part.column("org_code").value_counts().to_pylist():
            steps[count["values"]] += count["counts"]
        yield part
