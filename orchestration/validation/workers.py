"""Processes that run suites side by side, and have loaded Great Expectations before the first of them is due.

Belongs here: the processes, from before the first gate of a run to after the last. Does not: what is run (`judging`).
Loading the library takes more than two seconds, which these processes spend while the run takes deliveries in. They end
with the block that began them, and by themselves when its process is no more.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import forkserver

from orchestration.validation.judging import Task, judge, of_gate
from orchestration.validation.running import CRASHED, Outcome

WORKERS = 2
"""As many as the machine that this is measured on has processors."""
LIBRARY, PRELOADED = "great_expectations", "orchestration.validation.preloaded"
"""What is loaded, and the module that does it; by name, since importing it here would load it here."""
_ready: list[ProcessPoolExecutor] = []
"""The processes at hand, if there are any."""


@contextmanager
def workers_ready() -> Iterator[None]:
    """Let the library be loaded while the block does what comes before a gate.

    No process is begun where this one has loaded the library already.
    """
    if _ready or LIBRARY in sys.modules:
        yield
        return
    context = multiprocessing.get_context("forkserver")  # loads once; what it forks has everything already
    context.set_forkserver_preload([PRELOADED])
    forkserver.ensure_running()  # begins to load; asking it for a process would wait until it has
    pool = ProcessPoolExecutor(WORKERS, context, initializer=_end_with_first)
    _ready.append(pool)
    try:
        yield
    except BaseException:
        for process in (pool._processes or {}).values():  # one of them may hang
            process.kill()
        raise
    finally:
        _ready.remove(pool)
        pool.shutdown(cancel_futures=True)


def judged(tasks: Sequence[Task]) -> list[list[Outcome]]:
    """The outcomes of each task, in their order; run here where no process is at hand."""
    if not _ready:
        return [judge(task) for task in tasks]
    try:
        futures = [_ready[0].submit(judge, task) for task in tasks]
    except BrokenProcessPool:  # since an earlier gate, which said so
        return [judge(task) for task in tasks]
    found = []
    for task, future in zip(tasks, futures, strict=True):
        try:
            found.append(future.result())
        except BrokenProcessPool:  # killed, for want of memory say: nothing is known of the tables
            suite = task.suite
            found.append([of_gate(suite.table, "suite", CRASHED, f"{suite.file}: the process that ran it was ended")])
    return found


def _end_with_first() -> None:
    """See to it that this process ends with the one that began it, were that killed."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent:
            parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
