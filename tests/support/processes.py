"""Processes of this machine as tests look at them. Linux: read from /proc."""

from __future__ import annotations

import os
from pathlib import Path


def is_there(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def processes_with(text: str) -> list[int]:
    """Processes in whose environment `text` stands, but for this one."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if int(path.parent.name) != os.getpid() and text.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except (OSError, PermissionError):
            continue
    return found
