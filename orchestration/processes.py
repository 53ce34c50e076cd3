"""Which process this is, whether one that was noted down still works, and who goes first. Linux: read from /proc."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_STARTED = 19
"""Place of the start time among the fields that follow a process's name in /proc/<pid>/stat (proc(5), field 22)."""
_LATER = 5
"""Added to the niceness of such a process."""


def this_process() -> dict[str, Any]:
    """What tells this process from every other one, also from a later one with the same number."""
    return {"pid": os.getpid(), "started": _started(os.getpid()), "boot": _boot()}


def is_alive(process: Mapping[str, Any]) -> bool:
    """Whether the process that was noted down is still there."""
    return bool(process["boot"] == _boot() and process["started"] == _started(process["pid"]))


def give_way() -> None:
    """Let the run itself go first: this process does what is wanted later, while the run takes deliveries in."""
    os.nice(_LATER)


@contextmanager
def never_garbage() -> Iterator[None]:
    """What the block loads stays out of Python's collector, which would walk through it again and again for nothing."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _started(pid: int) -> str | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[_STARTED]  # one that has ended and was not yet waited for


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
