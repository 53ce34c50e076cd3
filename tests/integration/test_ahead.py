"""Who is withheld, worked out ahead: the answer is that of the tables in hand, or it is not taken."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from orchestration.publication import ahead
from orchestration.publication.ahead import withheld_ahead, withheld_of
from orchestration.publication.withheld import withheld_populations
from tests.support.determinations import REGISTER, changed
from tests.support.made_up_counts import YEAR, state
from tests.support.processes import is_there

SIZES = [0, 3, 4, 15, 40, 90, 200]


class There(NamedTuple):
    """Tables as they stood, other ones, and the link that points to the former at first."""

    before: Path
    after: Path
    link: Path

    def turn(self) -> None:
        """Point the link to the other ones, in one step."""
        beside = self.link.with_name("beside")
        beside.symlink_to(self.after)
        beside.replace(self.link)


@pytest.fixture
def there(tmp_path: Path) -> There:
    before, after = (state(Random(number), SIZES, 12, tmp_path / f"tables-{number}") for number in (1, 2))
    (tmp_path / "year").symlink_to(before)
    return There(before, after, tmp_path / "year")


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Tables whose question was answered in this process."""
    asked: list[Path] = []

    def noted(folder: Path, *rest: object) -> object:
        asked.append(folder)
        return withheld_populations(folder, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("orchestration.publication.withheld.withheld_populations", noted)
    return asked


@pytest.fixture
def begun(there: There) -> Iterator[int]:
    """The process, once the tables are other ones."""
    with withheld_ahead(there.link, REGISTER, YEAR):
        there.turn()
        yield ahead._ahead[-1]._process.pid


def test_the_answer_is_the_one_that_would_be_found(there: There, begun: int, worked_out: list[Path]) -> None:
    found = withheld_of(there.after, REGISTER, YEAR)
    assert not worked_out
    assert found.why
    expected = withheld_populations(there.after, REGISTER, YEAR)
    assert (found.why, found.counted) == (expected.why, expected.counted)
    assert [found.populations.name(p) for p in found.why] == [expected.populations.name(p) for p in expected.why]


def test_no_answer_is_taken_for_other_tables(there: There, begun: int, worked_out: list[Path]) -> None:
    """A rebuild of an earlier release asks for tables of its own."""
    assert withheld_of(there.before, REGISTER, YEAR).why == withheld_populations(there.before, REGISTER, YEAR).why
    assert worked_out == [there.before]


def test_no_answer_is_taken_for_another_policy(there: There, begun: int, worked_out: list[Path]) -> None:
    other = changed(("suppression", "minimum_cell", "5"))
    assert withheld_of(there.after, other, YEAR).why == withheld_populations(there.after, other, YEAR).why
    assert worked_out == [there.after]


def test_a_process_that_is_killed_is_done_without(there: There, begun: int, worked_out: list[Path]) -> None:
    os.kill(begun, signal.SIGKILL)
    assert withheld_of(there.after, REGISTER, YEAR).why == withheld_populations(there.after, REGISTER, YEAR).why
    assert worked_out == [there.after]


def test_a_process_that_hangs_is_not_waited_for_for_ever(
    there: There, worked_out: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "PATIENCE", 0.2)
    with withheld_ahead(there.link, REGISTER, YEAR):
        process = ahead._ahead[-1]._process.pid
        os.kill(process, signal.SIGSTOP)
        there.turn()
        withheld_of(there.after, REGISTER, YEAR)
        assert worked_out == [there.after]
    assert not is_there(process)


def test_tables_that_stay_are_worked_out_where_they_are_asked_for(there: There, worked_out: list[Path]) -> None:
    with withheld_ahead(there.link, REGISTER, YEAR):
        process = ahead._ahead[-1]._process.pid
        withheld_of(there.before, REGISTER, YEAR)
        assert worked_out == [there.before]
        assert is_there(process), "it waits for other tables"
    assert not is_there(process)


BEGIN = """
import sys, time
from pathlib import Path
from orchestration.publication import ahead
from tests.support.determinations import REGISTER
with ahead.withheld_ahead(Path(sys.argv[1]), REGISTER, 2025):
    print(ahead._ahead[-1]._process.pid, flush=True)
    time.sleep(60)
"""


def test_the_process_ends_with_the_one_that_began_it(tmp_path: Path) -> None:
    with subprocess.Popen((sys.executable, "-c", BEGIN, str(tmp_path / "year")), stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        process = int(parent.stdout.readline())
        assert is_there(process)
        parent.kill()
    until = time.monotonic() + 10
    while is_there(process) and time.monotonic() < until:
        time.sleep(0.02)
    assert not is_there(process)
