"""What a check answers, and what it may look at.

Belongs here: the shapes that all checks share. Does not: any check.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from orchestration.settings import PROJECT, Settings

State = Literal["ok", "warning", "failed"]
_CGROUP = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True)
class Finding:
    """The answer to one question: `says` what was seen, `advice` what to do unless all is well. One line each."""

    check: str
    state: State
    says: str
    advice: str = ""


def ok(check: str, says: str) -> Finding:
    return Finding(check, "ok", says)


def warning(check: str, says: str, advice: str) -> Finding:
    return Finding(check, "warning", says, advice)


def failed(check: str, says: str, advice: str) -> Finding:
    return Finding(check, "failed", says, advice)


def installed_version(package: str) -> str | None:
    """Version of an installed package, None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def memory_here() -> int:
    """Bytes of memory that this process may use: the machine's, or its container's if that is less."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _CGROUP.read_text().strip() if _CGROUP.is_file() else ""
    return min(whole, int(limit)) if limit.isdigit() else whole


def mounts_here() -> str:
    """The kernel's list of mounted file systems, '' where there is none."""
    listed = Path("/proc/mounts")
    return listed.read_text(errors="surrogateescape") if listed.is_file() else ""


@dataclass(frozen=True)
class Machine:
    """What the checks know of the machine; a test puts in another one."""

    python: tuple[int, int] = field(default_factory=lambda: (sys.version_info.major, sys.version_info.minor))
    program: Path = field(default_factory=lambda: Path(sys.executable))
    user: int = field(default_factory=os.getuid)
    cores: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))
    memory: int = field(default_factory=memory_here)
    mounts: str = field(default_factory=mounts_here)
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    installed: Callable[[str], str | None] = installed_version
    free: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free


@dataclass(frozen=True)
class Site:
    """One installation: its folders, its machine, and whether every byte is to be read (`is_deep`)."""

    settings: Settings
    machine: Machine = field(default_factory=Machine)
    is_deep: bool = False
    project: Path = PROJECT

    @property
    def home(self) -> Path:
        return self.settings.home


Check = Callable[[Site], Finding]
