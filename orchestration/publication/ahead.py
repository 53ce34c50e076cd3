"""Who is withheld, worked out while later rooms are at work: a process of its own begins as soon as the counts stand.

Belongs here: that process, when it begins, whether its answer fits. Does not: who is withheld (`withheld`). The counts
are those of the indicator tables. Determinations and assistance come between these and the release, and leave a
processor idle now and then. An answer is taken only for tables of the very bytes that it was worked out from, by the
same policy; without one the question is answered where it is asked.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.files import sha256_of
from orchestration.policy import Register
from orchestration.processes import SOMETIME, do_without, end_at_once, give_way, lines_of_parent
from orchestration.settings import PROJECT

if TYPE_CHECKING:  # what it needs is loaded when there is something to do
    from orchestration.publication.withheld import Withheld

EVERY = 0.1
"""Seconds between two looks."""
PATIENCE = 60.0
"""Seconds that an answer is waited for once the counts stand."""
QUESTION, ANSWER = "question", "answer"
"""Files of the folder that both processes know."""


@dataclass(frozen=True)
class Question:
    """Whose tables: `link` is where they lie, `stood` what it pointed to when the question was put."""

    link: Path
    stood: Path
    register: Register
    year: int

    def has_moved(self) -> bool:
        """Whether there are tables now, and other ones than stood there."""
        return self.link.exists() and self.link.resolve() != self.stood


class _Ahead:
    """The process, and what it is asked."""

    def __init__(self, folder: Path, question: Question):
        self.question, self._answer = question, folder / ANSWER
        (folder / QUESTION).write_bytes(pickle.dumps(question))
        self._process = subprocess.Popen(  # noqa: S603 - this module
            (sys.executable, "-m", __name__, str(folder)),
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # whoever asks will come upon the same and say so
        )

    def answer(self, folder: Path, register: Register, year: int) -> Withheld | None:
        """Its answer for the tables in `folder`, if there is one that fits; waits for one that is being worked out."""
        asked = self.question
        if (year, register) != (asked.year, asked.register) or not asked.has_moved():
            return None
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(PATIENCE)
        if self._process.returncode != 0:
            return None
        digests, found = pickle.loads(self._answer.read_bytes())  # noqa: S301 - written by that process
        withheld: Withheld = found
        return withheld if digests == _digests(folder) else None

    def close(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.communicate()


_ahead: list[_Ahead] = []
"""The process, if there is one."""


@contextmanager
def withheld_ahead(link: Path, register: Register, year: int) -> Iterator[None]:
    """Have it worked out as soon as `link`, the indicator tables of `year`, points to other tables than now."""
    with tempfile.TemporaryDirectory() as name:
        _ahead.append(_Ahead(Path(name), Question(link, link.resolve(), register, year)))
        try:
            yield
        finally:
            _ahead.pop().close()


def withheld_of(folder: Path, register: Register, year: int) -> Withheld:
    """Who is withheld of the tables in `folder`. Raises InputError as `withheld_populations` does."""
    from orchestration.publication.withheld import withheld_populations

    found = _ahead[-1].answer(folder, register, year) if _ahead else None
    return found or withheld_populations(folder, register, year)


def _digests(folder: Path) -> dict[str, str]:
    from orchestration.publication.withheld import COUNTED

    paths = [path for name in COUNTED if (path := folder / f"{name}.parquet").exists()]
    return {path.name: sha256_of(path) for path in paths}


def _work_out(folder: Path) -> int:
    """What the process does: its exit status."""
    lines_of_parent()
    give_way(SOMETIME)
    do_without("pandas")
    question: Question = pickle.loads((folder / QUESTION).read_bytes())  # noqa: S301 - written by the parent
    while not question.has_moved():
        time.sleep(EVERY)
    from orchestration.publication.withheld import withheld_populations

    tables = question.link.resolve()
    found = _digests(tables), withheld_populations(tables, question.register, question.year)
    (folder / ANSWER).write_bytes(pickle.dumps(found))
    return 0


if __name__ == "__main__":
    end_at_once(_work_out(Path(sys.argv[1])))
