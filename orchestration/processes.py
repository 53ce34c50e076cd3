"""Which process this is, and whether one that was noted down is still at work. Linux: read from /proc."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_STARTED = 19
"""Place of the start time among the fields that follow a process's name in /proc/<pid>/stat (proc(5), field 22)."""


def this_process() -> dict[str, Any]:
    """What tells this process from every other one, also from a later one with the same number."""
    return {"pid": os.getpid(), "started": _started(os.getpid()), "boot": _boot()}


def is_alive(process: Mapping[str, Any]) -> bool:
    """Whether the process that was noted down is still there."""
    return bool(process["boot"] == _boot() and process["started"] == _started(process["pid"]))


def _started(pid: int) -> str | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[_STARTED]  # one that has ended and was not yet waited for


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
