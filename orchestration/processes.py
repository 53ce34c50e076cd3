"""Which process this is, whether one that was noted down still works, who goes first, how one ends. Linux: in /proc."""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NoReturn

_STARTED = 19
"""Place of the start time among the fields that follow a process's name in /proc/<pid>/stat (proc(5), field 22)."""
SOON, SOMETIME = 5, 15
"""Added to the niceness of a process whose work is wanted before long, and of one that takes what time is left."""


def this_process() -> dict[str, Any]:
    """What tells this process from every other one, also from a later one with the same number."""
    return {"pid": os.getpid(), "started": _started(os.getpid()), "boot": _boot()}


def is_alive(process: Mapping[str, Any]) -> bool:
    """Whether the process that was noted down is still there."""
    return bool(process["boot"] == _boot() and process["started"] == _started(process["pid"]))


def give_way(until: int = SOON) -> None:
    """Let the run itself go first: this process does what is wanted later."""
    os.nice(until)


def lines_of_parent() -> SimpleQueue[bytes]:
    """Lines on standard input, as they come. This process ends when its parent has closed that, were it by being
    killed."""
    said: SimpleQueue[bytes] = SimpleQueue()

    def listen() -> NoReturn:
        with open(0, "rb", closefd=False) as lines:  # of its own: Python could not close one that a thread reads
            for line in lines:
                said.put(line)
        os._exit(1)

    threading.Thread(target=listen, daemon=True).start()
    return said


def end_at_once(status: int) -> NoReturn:
    """End this process after what it has registered for its end, without taking Python apart object by object: after
    statewide work that costs a second, for which somebody waits."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(BrokenPipeError):  # whoever read it has gone
            stream.flush()
    os._exit(status)


@contextmanager
def never_garbage() -> Iterator[None]:
    """What the block loads stays out of Python's collector, which would walk through it again and again for nothing."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def loading(modules: Iterable[str]) -> Iterator[None]:
    """Load modules beside the block, which waits for another process. Nobody waits for them: whoever imports one that
    is being loaded does, and is told if it cannot be."""

    def load() -> None:
        for module in modules:
            with suppress(ImportError):
                importlib.import_module(module)

    threading.Thread(target=load, daemon=True).start()
    yield


def do_without(library: str) -> None:
    """Let this process never load a library that another one would load for nothing: pyarrow asks pandas, which takes
    it half a second to load, whether a plain list is one of its own."""

    class NotHere:
        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            if name == library:
                raise ModuleNotFoundError(f"this process does without {library}", name=name)

    sys.meta_path.insert(0, NotHere)


def _started(pid: int) -> str | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[_STARTED]  # one that has ended and was not yet waited for


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
