"""dbt reads the models ahead: taken over by the next build, ended when no build comes, gone with whoever began it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestration.indicators import building, dbt_running
from orchestration.indicators.dbt_running import reading_ahead
from orchestration.settings import PROJECT
from tests.support.processes import is_there
from tests.support.workshop import YEAR, Workshop

WAITING = """
import sys, time
from orchestration.indicators.dbt_running import _ahead, reading_ahead
with reading_ahead():
    print(_ahead[0]._process.pid, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[str]]:
    """The processes that were started, in order."""
    found: list[subprocess.Popen[str]] = []

    class Noted(dbt_running._Dbt):
        def __init__(self) -> None:
            super().__init__()
            found.append(self._process)

    monkeypatch.setattr(dbt_running, "_Dbt", Noted)
    return found


def test_the_next_build_takes_it_over(started: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    shop = Workshop(tmp_path)
    shop.begin()
    with reading_ahead():
        built = building.build(
            YEAR, "official", settings=shop.settings, contracts=shop.contracts, register=shop.register
        )
    assert built.is_new
    assert built.rows["organisations"] == 4
    assert [process.returncode for process in started] == [0]


def test_without_a_build_it_ends_and_builds_nothing(started: list[subprocess.Popen[str]]) -> None:
    with pytest.raises(RuntimeError, match="intake failed"), reading_ahead():
        raise RuntimeError("intake failed")
    assert [process.returncode for process in started] == [-signal.SIGKILL]
    assert dbt_running._ahead == []


def test_it_goes_with_whoever_began_it() -> None:
    with subprocess.Popen([sys.executable, "-c", WAITING], cwd=PROJECT, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        second = int(first.stdout.readline())
        assert is_there(second)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    deadline = time.monotonic() + 60
    while is_there(second):
        assert time.monotonic() < deadline, "it still waits for an order"
        time.sleep(0.1)
