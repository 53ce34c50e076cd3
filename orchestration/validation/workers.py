"""Processes that run suites side by side, and have loaded Great Expectations before the first of them is due.

Belongs here: the processes, from before the first gate of a run to after the last. Does not: what is run (`judging`).
Loading the library takes more than two seconds, which these processes spend while the run takes deliveries in. They end
with the block that began them, and by themselves when its process is no more.

Python's own pool of processes is not used: up to Python 3.11.4 (Debian 12 has 3.11.2) it can wait for ever once one of
them was killed (https://github.com/python/cpython/issues/94777).
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from queue import SimpleQueue

from orchestration.validation.judging import Task, judge, of_gate
from orchestration.validation.running import CRASHED, Outcome

WORKERS = 2
"""As many as the machine that this is measured on has processors."""
PATIENCE = 5.0
"""Seconds that a process has to end by itself, in which it gives back what it holds of the system."""
LIBRARY, PRELOADED = "great_expectations", "orchestration.validation.preloaded"
"""What is loaded, and the module that does it; by name, since importing it here would load it here."""


class Worker:
    """A process that judges one task after another. Each side holds one end of a pipe: when one dies, the other's
    reading and writing fails."""

    def __init__(self, context: ForkServerContext):
        self._pipe, others = context.Pipe()
        self.process = context.Process(target=_serve, args=(others,), daemon=True)
        self.process.start()
        others.close()

    def ask(self, task: Task) -> list[Outcome]:
        """Its outcomes, or one that says that the process is no more: killed, for want of memory say."""
        try:
            self._pipe.send(task)
            found: list[Outcome] | Exception = self._pipe.recv()
        except (EOFError, OSError):  # nothing is known of the tables
            suite = task.suite
            return [of_gate(suite.table, "suite", CRASHED, f"{suite.file}: the process that ran it was ended")]
        if isinstance(found, Exception):
            raise found
        return found

    def end(self) -> None:
        """Let it end, or kill it where it does not: it may hang."""
        self._pipe.close()
        self.process.join(PATIENCE)
        self.process.kill()
        self.process.join()


class Workers:
    """Processes that are begun when they are first wanted: that waits until the library is loaded."""

    def __init__(self, context: ForkServerContext):
        self._context, self.begun = context, list[Worker]()

    def alive(self) -> list[Worker]:
        """Those that there are; none is begun in place of one that was killed, which its gate said."""
        self.begun = self.begun or [Worker(self._context) for _ in range(WORKERS)]
        return [worker for worker in self.begun if worker.process.is_alive()]

    def kill(self) -> None:
        """End all of them, whatever they do."""
        for worker in self.begun:
            worker.process.kill()

    def end(self) -> None:
        """End all of them."""
        for worker in self.begun:
            worker.end()


_ready: list[Workers] = []
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
    workers = Workers(context)
    _ready.append(workers)
    try:
        yield
    except BaseException:  # one of them may hang
        workers.kill()
        raise
    finally:
        _ready.remove(workers)
        workers.end()


def judged(tasks: Sequence[Task]) -> list[list[Outcome]]:
    """The outcomes of each task, in their order; run here where no process is at hand."""
    alive = _ready[0].alive() if _ready and tasks else []
    if not alive:
        return [judge(task) for task in tasks]
    idle: SimpleQueue[Worker] = SimpleQueue()
    for worker in alive:
        idle.put(worker)

    def ask(task: Task) -> list[Outcome]:
        worker = idle.get()
        try:
            return worker.ask(task)
        finally:
            idle.put(worker)

    with ThreadPoolExecutor(len(alive)) as threads:
        try:
            return list(threads.map(ask, tasks))
        except BaseException:  # stopped: one of them may hang, and its thread would wait for it
            threads.shutdown(wait=False, cancel_futures=True)
            _ready[0].kill()
            raise


def _serve(pipe: Connection) -> None:
    """What a process does until the one that began it is no more."""
    _end_with_first()
    while True:
        try:
            task: Task = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(judge(task))
        except Exception as error:  # raised where it was asked
            pipe.send(error)


def _end_with_first() -> None:
    """See to it that this process ends with the one that began it, were that killed."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent:
            parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
