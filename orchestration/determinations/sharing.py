"""A statewide year's scores and percentiles in two processes: a second one ranks, and scores what the first leaves it.

Belongs here: dividing the work, the second process and its end. Does not: any rule. What comes out is the same as from
one process, to the byte: an organisation's scores rest on what both read, and the parts are put together in the order
of the organisations. A small state is not worth a second process.

The second process is a new one that shares nothing with the first but files in a folder: neither the threads nor the
locks of whoever called (Dagster, DuckDB). It ends by itself when the first is no more, whatever ended that.
"""

from __future__ import annotations

import gc
import json
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import accumulate, chain
from pathlib import Path
from queue import SimpleQueue

import pyarrow.parquet as pq

from orchestration.determinations.figures import Figures
from orchestration.determinations.parts import Parts, rank_into, ranked_in, score_into
from orchestration.determinations.reading import Inputs, read_organisations, read_results, read_scored
from orchestration.determinations.rendering import SCORED, Tables
from orchestration.determinations.scoring import Statewide, figures_of
from orchestration.determinations.taking_over import Holding
from orchestration.determinations.year_rules import YearRules
from orchestration.errors import InputError
from orchestration.processes import do_without, end_at_once, lines_of_parent

WORTH_SHARING = 100_000
"""Rows of indicator_results, all years together, from which a second process pays."""
AHEAD = 0.04
"""How much more than the first the second process does besides scoring, as a share of scoring everyone: it ranks, while
the first makes the statewide values and participation rates. Whom a small refresh reaches the first scores alone."""
PROJECT = Path(__file__).resolve().parents[2]
"""That of `settings`, whose libraries the second process has no use for."""
VALUES = "values"
"""File with the statewide values, which the first process makes for both."""
REFUSED = 3
"""Exit status of the second process where it has written an InputError."""


@dataclass(frozen=True)
class Work:
    """What both processes need to know. `present`: year to its folder of indicator tables, the year's own first."""

    rules: YearRules
    present: dict[int, Path]
    earlier: Path | None


class Share:
    """Who does what; what each process makes lies in a folder of its own."""

    def __init__(self, folder: Path, work: Work, second: subprocess.Popen[bytes] | None):
        self.work, self.second, self.folder = work, second, folder
        self.own, self.others, self.said = folder / "first", folder / "second", folder / "said"

    def score(self, inputs: Inputs, figures: Figures, values: Statewide | None, organisations: Sequence[str]) -> None:
        """Score some of `organisations`, the second process the others; where there is none, rank too."""
        first, rest = divided(inputs, figures, organisations) if self.second else (organisations, [])
        if self.second and self.second.stdin:
            if rest:
                (self.folder / VALUES).write_bytes(pickle.dumps(values and values.among({})))
            with suppress(BrokenPipeError):  # it is no more: `finished` says why
                self.second.stdin.write(json.dumps(rest).encode() + b"\n")
                self.second.stdin.flush()
        self.own.mkdir()
        score_into(self.own, inputs, self.work.rules, values, first)
        if not self.second:
            self.others.mkdir()
            rank_into(self.others, inputs, self.work.rules)

    def finished(self, held: Holding | None = None) -> tuple[dict[str, Parts], Tables]:
        """Table to its parts, those that still hold between them, and the percentiles, when all are there.

        Raises the InputError that the second process came upon.
        """
        if self.second:
            status = self.second.wait()
            if status == REFUSED:
                raise InputError(self.said.read_text(encoding="utf-8"))
            if status:
                said = self.said.read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"the second process of determinations ended with status {status}: {said}")
        folders = [self.own, self.others] if self.second else [self.own]
        return {name: Parts(folders, name, held) for name in SCORED}, ranked_in(self.others)


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


def divided(inputs: Inputs, figures: Figures, organisations: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Those of the first and those of the second process, by the number of their figures of the year."""
    now = figures.get(inputs.year, {})
    sizes = [len(now.get(org, ())) for org in organisations]
    wanted = (sum(sizes) + AHEAD * sum(map(len, now.values()))) / 2
    first = sum(seen <= wanted for seen in accumulate(sizes, initial=0))
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


def _second(folder: Path) -> int:
    """What the second process does: its exit status."""
    do_without("pandas")
    orders = lines_of_parent()
    work: Work = pickle.loads((folder / "work").read_bytes())  # noqa: S301 - written by the first process
    try:
        with uncollected():
            _rank_and_score(folder / "second", work, orders)
    except InputError as error:
        print(error, end="")
        return REFUSED
    return 0


def _rank_and_score(own: Path, work: Work, orders: SimpleQueue[bytes]) -> None:
    """Rank every school, then score the organisations that are ordered; in a refresh there may be none of them.

    Of the results those that are ranked are read first, the others only for scoring.
    """
    year, folder = work.rules.year, work.present[work.rules.year]
    ranked = {y: tuple(read_results(work.present[y])) for y in work.rules.rules.percentiles.years if y in work.present}
    inputs = Inputs(year, tuple(chain.from_iterable(ranked.values())), (), read_organisations(folder))
    own.mkdir()
    rank_into(own, inputs, work.rules)
    values = None
    if organisations := frozenset(json.loads(orders.get())):
        results = (ranked[y] if y in ranked else read_results(of_year) for y, of_year in work.present.items())
        theirs = tuple(row for row in chain.from_iterable(results) if row.org_code in organisations)
        inputs = read_scored(year, folder, work.earlier, theirs)
        values = pickle.loads((own.parent / VALUES).read_bytes())  # noqa: S301 - written by the first process
        values = values and values.among(figures_of(inputs))
    score_into(own, inputs, work.rules, values, sorted(organisations))


if __name__ == "__main__":
    end_at_once(_second(Path(sys.argv[1])))
