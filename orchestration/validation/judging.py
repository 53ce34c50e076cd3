"""What one suite needs to be run wherever there is room for it, and running it.

Belongs here: a suite with the tables that it and its frames read, as one thing that another process can be handed.
Does not: expectations (`running`), which suites are run (`gates`), processes (`workers`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.policy import Register
from orchestration.validation.frames import Frame
from orchestration.validation.running import CRASHED, FAILED, Outcome, Tables, run_suite
from orchestration.validation.suites import CRITICAL, Suite

Rows = tuple[Sequence[str], Sequence[Sequence[object]]]
"""Columns and rows of a small table."""


@dataclass(frozen=True)
class Task:
    """A suite and all that it reads: its own table, and those that its frames name in their headers.

    `files`: table to its Parquet files; `small`: tables that are given row by row; `spill`: a folder of the home for
    what does not fit into memory. A frame that reads a table which it does not name crashes, and the gate is shut.
    """

    suite: Suite
    frames: Mapping[str, Frame]
    files: Mapping[str, Sequence[Path]]
    small: Mapping[str, Rows]
    private: frozenset[str]
    spill: Path
    register: Register
    year: int
    source: str


def judge(task: Task) -> list[Outcome]:
    """The outcomes of a suite, one an expectation. Nothing is raised: what cannot be run has not held."""
    suite = task.suite
    try:
        tables = Tables(task.files, task.private, task.spill)
    except duckdb.Error as error:
        return [of_gate(suite.table, "inputs", FAILED, str(error).splitlines()[0])]
    try:
        for name, (columns, rows) in task.small.items():
            tables.add(name, columns, rows)
        found = run_suite(suite, tables, task.frames, task.register, task.year, task.source)
    except Exception as error:  # a gate that breaks is shut
        return [of_gate(suite.table, "suite", CRASHED, f"{suite.file}: {type(error).__name__} while it was run")]
    finally:
        tables.close()
    return found or [
        of_gate(suite.table, "suite", FAILED, f"{suite.file}: no expectation is meant for source {task.source}")
    ]


def of_gate(table: str, name: str, status: str, observed: str) -> Outcome:
    """An outcome of the gate itself."""
    return Outcome(
        table=table,
        name=name,
        type="gate",
        severity=CRITICAL,
        says="Every table that goes on is there and has a suite that is in order.",
        rule="the gate holds",
        owner="accountability-office",
        status=status,
        observed=observed,
        checked=0,
    )
