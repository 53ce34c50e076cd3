"""Suites run in processes of their own: the same outcomes, one that dies shuts the gate, none outlives its run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.policy import load_register
from orchestration.settings import PROJECT, Settings
from orchestration.validation import workers
from orchestration.validation.frames import load_frames
from orchestration.validation.judging import Task, judge
from orchestration.validation.running import CRASHED, FAILED, PASSED, Outcome
from orchestration.validation.suites import load_suite
from orchestration.validation.workers import Workers, judged, workers_ready
from tests.support.processes import is_there

SUITE = """table: numbers
about: A table.
key: [code]
expectations:
  - {name: there, type: expect_column_values_to_not_be_null, kwargs: {column: code}, severity: critical,
     rule: r, owner: o, says: Each has a code.}
  - {name: small, type: expect_column_values_to_be_between, kwargs: {column: number, max_value: 10}, severity: critical,
     rule: r, owner: o, says: None is large.}
  - {name: sums, type: expect_column_values_to_be_between, kwargs: {column: total, max_value: 100}, frame: sums,
     severity: critical, rule: r, owner: o, says: The total is small.}
"""
SUMS = "-- about: The total.\n-- key: total\n-- reads: numbers\nSELECT sum(number)::INTEGER AS total FROM numbers\n"
UNNAMED = SUMS.replace("numbers\nSELECT", "numbers\nSELECT (SELECT count(*) FROM policy) AS others,")
BEGUN = """
import sys, time
from tests.integration.test_workers import Hanging
from orchestration.validation import workers
with workers.workers_ready():
    others = workers._ready[0].alive()
    for worker in others:
        worker._pipe.send(Hanging())
    from multiprocessing import forkserver
    print(forkserver._forkserver._forkserver_pid, *(worker.process.pid for worker in others), flush=True)
    time.sleep(600)
"""

PUT_OFF = """
import sys, orchestration.validation.preloaded as preloaded
def loaded():
    print([name + inner in sys.modules for name, inner in zip(preloaded.RARELY_USED, (".vegalite", "._stats_py"))])
loaded()
from great_expectations.expectations.core import expect_column_kl_divergence_to_be_less_than as uses
from scipy.stats import norm
print(float(uses.stats.entropy([0.5, 0.5], [0.5, 0.5])), float(norm.cdf(0)))
loaded()
print(uses.alt.Chart.__name__)
loaded()
"""


class Hanging:
    """A task that a process does not come back from."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return time.sleep, (600,)


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if this process had not loaded the library, which earlier tests did."""
    monkeypatch.setattr(workers, "LIBRARY", "a_library_that_is_not_loaded")


@pytest.fixture
def ready(fresh: None) -> Iterator[Workers]:
    with workers_ready():
        yield workers._ready[0]


def task(folder: Path, numbers: list[int], frame: str = SUMS) -> Task:
    """A suite over a table of these numbers."""
    (folder / "frames").mkdir(exist_ok=True)
    (folder / "frames" / "sums.sql").write_text(frame)
    (folder / "numbers.yml").write_text(SUITE)
    codes = [f"c{n}" for n in range(len(numbers))]
    pq.write_table(pa.table({"code": codes, "number": pa.array(numbers, pa.int32())}), folder / "numbers.parquet")
    frames = load_frames(folder)
    register = load_register(Settings().policy)
    files = {"numbers": [folder / "numbers.parquet"]}
    suite = load_suite(folder / "numbers.yml", frames)
    return Task(suite, frames, files, {}, frozenset(), Path("spill"), register, 2025, "student")


def statuses(outcomes: list[Outcome]) -> dict[str, str]:
    return {outcome.name: outcome.status for outcome in outcomes}


def test_processes_find_what_this_one_finds_in_the_order_asked(tmp_path: Path, ready: Workers) -> None:
    tasks = []
    for name, numbers in (("good", [1, 2]), ("bad", [5, 50]), ("sum", [10] * 11)):
        (tmp_path / name).mkdir()
        tasks.append(task(tmp_path / name, numbers))
    found = judged(tasks)
    assert found == [judge(one) for one in tasks]
    assert [statuses(outcomes) for outcomes in found] == [
        {"there": PASSED, "small": PASSED, "sums": PASSED},
        {"there": PASSED, "small": FAILED, "sums": PASSED},
        {"there": PASSED, "small": PASSED, "sums": FAILED},
    ]
    assert found[1][1].rows == (("c1", 50),)
    assert len(ready.alive()) == workers.WORKERS


def test_a_library_that_is_put_off_is_loaded_once_somebody_uses_it() -> None:
    said = subprocess.check_output([sys.executable, "-c", PUT_OFF], cwd=PROJECT, text=True).splitlines()
    assert said == ["[False, False]", "0.0 0.5", "[False, True]", "Chart", "[True, True]"]


def test_a_frame_that_reads_a_table_it_does_not_name_crashes(tmp_path: Path) -> None:
    """Otherwise a change in that table would not have the suite run again."""
    assert statuses(judge(task(tmp_path, [1], UNNAMED)))["sums"] == CRASHED


def test_a_table_that_cannot_be_read_shuts_the_gate(tmp_path: Path) -> None:
    spoilt = task(tmp_path, [1])
    (tmp_path / "numbers.parquet").write_bytes(b"PAR1 and no more")
    (outcome,) = judge(spoilt)
    assert (outcome.status, outcome.stops) == (FAILED, True)
    assert "numbers.parquet" in outcome.observed


def test_processes_that_are_killed_shut_the_gate(
    tmp_path: Path, ready: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, begun = task(tmp_path, [1]), ready.alive()
    assert statuses(judged([asked])[0])["there"] == PASSED
    for worker in begun:
        _killed(worker)
    with monkeypatch.context() as patched, ThreadPoolExecutor(1) as aside:
        patched.setattr(Workers, "alive", lambda _: begun)  # killed since somebody looked
        (outcome,), again = aside.submit(judged, [asked, asked]).result(timeout=60)
    assert (outcome.status, outcome.stops) == (CRASHED, True)
    assert outcome.observed.endswith("numbers.yml: the process that ran it was ended")
    assert again == [outcome]
    assert statuses(judged([asked])[0])["there"] == PASSED, "the next gate does without"


def test_one_that_is_killed_at_work_shuts_the_gate_and_the_other_goes_on(tmp_path: Path, ready: Workers) -> None:
    first, second = ready.alive()
    with ThreadPoolExecutor(1) as aside:
        hanging = aside.submit(first.ask, Hanging())
        time.sleep(0.5)
        _killed(first)
        with pytest.raises(AttributeError, match="suite"):  # it is no task that could be named
            hanging.result(timeout=60)
    assert ready.alive() == [second]
    assert statuses(judged([task(tmp_path, [1])])[0])["there"] == PASSED


def test_more_than_a_pipe_holds_is_lost_with_its_reader_and_nobody_waits(tmp_path: Path, ready: Workers) -> None:
    """What Python's own pool waits for ever for: a process that dies while something is being written to it."""
    asked = replace(task(tmp_path, [1]), source="x" * 10_000_000)
    first, _ = ready.alive()
    os.kill(first.process.pid or 0, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as aside:
        writing = aside.submit(first.ask, asked)
        time.sleep(0.5)
        _killed(first)
        (outcome,) = writing.result(timeout=60)
    assert outcome.status == CRASHED


def _killed(worker: workers.Worker) -> None:
    os.kill(worker.process.pid or 0, signal.SIGKILL)
    worker.process.join()


def test_one_that_hangs_ends_with_a_run_that_is_stopped(fresh: None) -> None:
    begun, found = time.monotonic(), []

    def stopped() -> None:
        with workers_ready():
            for worker in workers._ready[0].alive():
                worker._pipe.send(Hanging())
                found.append(worker.process.pid)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert time.monotonic() - begun < 60
    assert len(found) == workers.WORKERS
    assert not any(map(is_there, found))
    assert workers._ready == []


def test_none_is_begun_where_the_library_is_loaded_already(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "LIBRARY", "sys")
    with workers_ready():
        assert workers._ready == []


def test_they_go_with_whoever_began_them() -> None:
    with subprocess.Popen([sys.executable, "-c", BEGUN], cwd=PROJECT, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        others = [int(pid) for pid in first.stdout.readline().split()]
        assert len(others) == 1 + workers.WORKERS
        assert all(map(is_there, others))
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    deadline = time.monotonic() + 60
    while any(map(is_there, others)):
        assert time.monotonic() < deadline, "they outlive the run"
        time.sleep(0.1)
