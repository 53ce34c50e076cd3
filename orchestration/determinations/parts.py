"""Scored organisations on their way to the tables: a part at a time is in memory, the others wait in files.

Belongs here: scoring part after part into a folder, and reading the parts again. Does not: who scores which
organisations (`sharing`), nor what is written in the end (`writing`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa

from orchestration.determinations.determining import PROGRESS, Progress
from orchestration.determinations.reading import Inputs
from orchestration.determinations.rendering import scored_tables
from orchestration.determinations.report_columns import ALL_STUDENTS
from orchestration.determinations.scoring import Statewide, score
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


class Parts:
    """The parts of one table in several folders, one after another, as often as they are asked for."""

    def __init__(self, folders: Iterable[Path], name: str):
        self.files = [folder / f"{name}.arrows" for folder in folders]

    def __iter__(self) -> Iterator[pa.Table]:
        for file in self.files:
            with pa.memory_map(str(file)) as source, pa.ipc.open_stream(source) as batches:
                for batch in batches:
                    yield pa.Table.from_batches([batch])


def progress_in(percentages: Iterable[pa.Table]) -> dict[str, dict[str, Progress]]:
    """Organisation to kind to its percentage of all students, from the rows of target_percentages."""
    found: dict[str, dict[str, Progress]] = defaultdict(dict)
    names = ("org_code", "student_group", "stage", "shown", "trace_key")
    for part in percentages:
        for org, group, stage, shown, key in zip(*(part.column(name).to_pylist() for name in names), strict=True):
            if group == ALL_STUDENTS and stage in PROGRESS:
                found[org][stage] = Progress(shown, key)
    return found
