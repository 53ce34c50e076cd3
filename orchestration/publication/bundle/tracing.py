"""The trace of a release as lines of JSON, which the verifier can read without any package.

Belongs here: Parquet to lines. Does not: which files a bundle has. A line is a step with its keys sorted; in place of
the policy rows it names their `lines` in policy.csv as a spreadsheet numbers them, so that a step takes a quarter of
the room and the verifier calculates with the rows that the bundle shows.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import orjson
import pyarrow.parquet as pq

from orchestration.errors import InputError
from orchestration.policy import COLUMNS

TABLE = "determination_trace"
BATCH = 10_000
LEVEL = 6
"""Of compression: higher ones take twice the time for a twentieth less."""
_TEXTS = ("indicator", "gradespan", "key", "kind", "org_code", "rule_id", "status", "step", "student_group")
_JSON = ("inputs", "outcome", "upstream")

Row = tuple[str, ...]


def write_trace(trace: Path, policy: Path, out: IO[bytes]) -> int:
    """Write the steps to `out`, compressed, in the order of the table: number of steps.

    Raises InputError where a step applied a policy row that `policy` does not hold just so.
    """
    steps = 0
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=LEVEL, mtime=0, filename="") as packed:
        for part, count in _lines(trace, _numbers(policy)):
            packed.write(part)
            steps += count
    return steps


def _numbers(policy: Path) -> dict[Row, int]:
    """Policy row to its line; the header is line 1."""
    with policy.open(newline="", encoding="utf-8") as file:
        return {tuple(row[name] for name in COLUMNS): line for line, row in enumerate(csv.DictReader(file), 2)}


def _lines(trace: Path, numbers: Mapping[Row, int]) -> Iterator[tuple[bytes, int]]:
    """Lines of a batch, and how many."""
    known: dict[str, list[int]] = {}  # the same policy rows stand behind many steps
    columns = [*_TEXTS, *_JSON, "parameters"]
    for batch in pq.ParquetFile(trace).iter_batches(BATCH, columns=columns):
        lines = []
        for row in batch.to_pylist():
            if (of := known.get(text := row.pop("parameters"))) is None:
                of = known[text] = _cited(text, numbers, trace)
            embedded = {name: orjson.Fragment(row[name]) for name in _JSON}
            lines.append(orjson.dumps({**row, **embedded, "lines": of}, option=orjson.OPT_SORT_KEYS))
        yield b"\n".join((*lines, b"")), len(lines)


def _cited(text: str, numbers: Mapping[Row, int], trace: Path) -> list[int]:
    found = []
    for cited in json.loads(text):
        if (line := numbers.get(tuple(cited[name] for name in COLUMNS))) is None:
            raise InputError(
                f"{trace}: a step applied {cited['rule_id']}.{cited['parameter']} of {cited['policy_year']} as "
                f"'{cited['value']}', which policy.csv of the release does not hold"
            )
        found.append(line)
    return found
