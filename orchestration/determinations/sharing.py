"""Scoring a statewide year in two processes: a second one takes the last organisations, the first does all else.

Belongs here: dividing the work, the second process and its end. Does not: any rule. What comes out is the same as from
one process, to the byte: an organisation's scores rest on what both read, and the parts are put together in the order
of the organisations. A small state is not worth a second process.

The second process is a new one that shares nothing with the first but files in a folder: neither the threads nor the
locks of whoever called (Dagster, DuckDB). It ends by itself when the first is no more, whatever ended that.
"""

from __future__ import annotations

import gc
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pyarrow.parquet as pq

from orchestration.determinations.figures import Figures
from orchestration.determinations.parts import Parts, score_into
from orchestration.determinations.reading import Inputs, read_inputs
from orchestration.determinations.rendering import SCORED
from orchestration.determinations.scoring import figures_of, scored_organisations, statewide_values
from orchestration.determinations.year_rules import YearRules
from orchestration.errors import InputError

WORTH_SHARING = 100_000
"""Rows of indicator_results, all years together, from which a second process pays."""
KEPT = 0.37
"""Share of the figures that the first process scores: it also ranks, classifies and writes."""
PROJECT = Path(__file__).resolve().parents[2]
"""That of `settings`, whose libraries the second process has no use for."""
REFUSED = 3
"""Exit status of the second process where it has written an InputError."""


@dataclass(frozen=True)
class Work:
    """What both processes need to know. `present`: year to its folder of indicator tables, the year's own first."""

    rules: YearRules
    present: dict[int, Path]
    earlier: Path | None


class Share:
    """Who scores what; the parts of each process lie in a folder of its own."""

    def __init__(self, folder: Path, work: Work, second: subprocess.Popen[bytes] | None):
        self.work, self.second = work, second
        self.own, self.others, self.said = folder / "first", folder / "second", folder / "said"

    def score_own(self, inputs: Inputs, figures: Figures) -> None:
        """Score what the second process does not."""
        first, rest = divided(inputs, figures)
        values = statewide_values(inputs, figures, self.work.rules)
        self.own.mkdir()
        score_into(self.own, inputs, self.work.rules, values, first if self.second else first + rest)

    def parts(self) -> dict[str, Parts]:
        """Table to its parts, when all are there. Raises the InputError that the second process came upon."""
        folders = [self.own]
        if self.second:
            status = self.second.wait()
            if status == REFUSED:
                raise InputError(self.said.read_text(encoding="utf-8"))
            if status:
                said = self.said.read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"the second process of determinations ended with status {status}: {said}")
            folders.append(self.others)
        return {name: Parts(folders, name) for name in SCORED}


@contextmanager
def shared(folder: Path, work: Work) -> Iterator[Share]:
    """The work divided, in an empty folder. The second process has begun; it ends with the block at the latest."""
    second = _started(folder, work) if _rows(work) >= WORTH_SHARING else None
    try:
        yield Share(folder, work, second)
    finally:
        if second:
            second.kill()
            second.communicate()


@contextmanager
def uncollected() -> Iterator[None]:
    """Without Python's garbage collector: millions of rows hold no cycles, and looking for some costs a third."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def divided(inputs: Inputs, figures: Figures) -> tuple[list[str], list[str]]:
    """Organisations of the first and of the second process, by the number of their figures of the year."""
    organisations, now = scored_organisations(inputs), figures.get(inputs.year, {})
    total, seen, first = sum(map(len, now.values())), 0, 0
    while first < len(organisations) and seen <= KEPT * total:
        seen += len(now.get(organisations[first], ()))
        first += 1
    return organisations[:first], organisations[first:]


def _rows(work: Work) -> int:
    files = (folder / "indicator_results.parquet" for folder in work.present.values())
    return sum(pq.read_metadata(file).num_rows for file in files if file.exists())


def _started(folder: Path, work: Work) -> subprocess.Popen[bytes]:
    (folder / "work").write_bytes(pickle.dumps(work))
    with (folder / "said").open("wb") as said:
        return subprocess.Popen(  # noqa: S603 - this module
            (sys.executable, "-m", __name__, str(folder)),
            cwd=PROJECT,  # the same code as this process
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            start_new_session=True,  # Ctrl-C is for the first process, which ends the second
        )


def _end_with_first() -> None:
    """End this process when the first one has closed its side of stdin, were it by being killed."""

    def wait() -> NoReturn:
        os.read(0, 1)  # nothing is ever written: this returns at the end only
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _second(folder: Path) -> int:
    """What the second process does: its exit status."""
    _end_with_first()
    work: Work = pickle.loads((folder / "work").read_bytes())  # noqa: S301 - written by the first process
    try:
        with uncollected():
            inputs = read_inputs(work.rules.year, work.present, work.earlier)
            figures = figures_of(inputs)
            values = statewide_values(inputs, figures, work.rules)
            _, organisations = divided(inputs, figures)
            (folder / "second").mkdir()
            score_into(folder / "second", inputs, work.rules, values, organisations)
    except InputError as error:
        print(error, end="")
        return REFUSED
    return 0


if __name__ == "__main__":
    ended_with = _second(Path(sys.argv[1]))
    sys.stdout.flush()
    os._exit(ended_with)  # at once: the first process waits, and all that was read would be taken apart before
