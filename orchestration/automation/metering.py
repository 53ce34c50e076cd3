"""Memory over time of this process and all below it, and the watch over a step that hangs.

Belongs here: sampling, and stopping what does not end. Does not: what a step is for.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
EVERY = 0.2
"""Seconds between two samples."""
STUCK = 70
"""Exit status of a process that had to be ended from within."""


class Meter(threading.Thread):
    """Samples memory until it is stopped. Shared pages count once for each process: the sum is an upper bound."""

    def __init__(self, beat: Callable[[], None] = lambda: None) -> None:
        super().__init__(name="meter", daemon=True)
        self.samples: list[tuple[float, int]] = []
        self._beat, self._ended = beat, threading.Event()

    def run(self) -> None:
        while not self._ended.wait(EVERY):
            self.samples.append((time.time(), _resident(os.getpid())))
            self._beat()

    def stop(self) -> None:
        """Take no more samples."""
        self._ended.set()
        self.join()

    def peak(self, start: float, end: float) -> int | None:
        """Most bytes seen between two moments (seconds since the epoch); None for a time too short to be sampled."""
        return max((size for at, size in self.samples if start <= at <= end), default=None)


class Watch:
    """Stops this process when a step takes longer than `limit` seconds, by a clock that nobody can set.

    First it interrupts, so that the run can say what happened and clean up; after `grace` seconds it ends the process
    and all below it. `step` names the step under way, None between steps.
    """

    def __init__(self, step: Callable[[], str | None], limit: float, grace: float):
        self.step, self.limit, self.grace = step, limit, grace
        self.stuck: str | None = None
        self._seen: str | None = None
        self._since = self._asked = time.monotonic()

    def beat(self) -> None:
        """Look, at most once a second."""
        now = time.monotonic()
        if now - self._asked < 1.0:
            return
        self._asked = now
        if self.stuck:
            if now - self._since > self.grace:
                end_children(signal.SIGKILL)
                os._exit(STUCK)
            return
        under_way = self.step()
        if under_way != self._seen:
            self._seen, self._since = under_way, now
        elif under_way and now - self._since > self.limit:
            self.stuck = f"{under_way}: took longer than {self.limit:g} s and was stopped (ACCOUNTABILITY_STEP_LIMIT)"
            self._since = now
            end_children(signal.SIGTERM)  # a child that hangs would keep its parent waiting
            os.kill(os.getpid(), signal.SIGINT)


@contextmanager
def metered(watch: Watch) -> Iterator[Meter]:
    """Sample and watch while the block runs."""
    meter = Meter(watch.beat)
    meter.start()
    try:
        yield meter
    finally:
        meter.stop()


def end_children(how: signal.Signals) -> None:
    """End every process below this one. SIGTERM leaves the one that puts away what others shared (multiprocessing)."""
    for child in _below(os.getpid()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, how)


def _resident(pid: int) -> int:
    """Bytes resident in memory of a process and all below it."""
    return sum(_own(process) for process in (pid, *_below(pid)))


def _own(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):  # it has ended
        return 0


def _below(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, task.read_text().split())
    return [*found, *(below for child in found for below in _below(child))]
