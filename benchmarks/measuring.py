"""What the benchmarks share: timing whole processes, and a fictional state taken into a home.

The process that measures stays small: a child starts with the peak memory of the process that started it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

INTAKE = """
import sys
from pathlib import Path
from orchestration.intake.contracts import load_contracts
from orchestration.intake.taking_in import CollectionIntake
from orchestration.policy import load_register
from orchestration.settings import Settings
settings = Settings(landing=Path(sys.argv[1]), home=Path(sys.argv[2]))
contracts, register = load_contracts(settings.contracts), load_register(settings.policy)
for name in (n for n, c in contracts.items() if c.source != "hub"):
    intake = CollectionIntake(name, int(sys.argv[3]), contracts=contracts, register=register, settings=settings).run()
    assert not intake.refusals, intake.refusals
"""


class Run(NamedTuple):
    """One process with all that it started: wall seconds, seconds of all processors, peak memory in GB."""

    seconds: float
    processor: float
    memory: float


def timed(*command: str) -> Run:
    """Run one process to its end. What it says is shown only when it fails."""
    began, peak = time.monotonic(), 0.0
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)  # noqa: S603 - our own commands
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            peak = max(peak, resident(process.pid))
            time.sleep(0.02)
        seconds, (_, status, usage) = time.monotonic() - began, ended
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            print(said.read().decode(errors="replace"), file=sys.stderr)
            raise SystemExit(f"{' '.join(command)[:200]}: failed with status {process.returncode}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, max(peak, usage.ru_maxrss / 1e6))


def resident(pid: int) -> float:
    """Memory (GB) of a process and all below it; 0 where the system does not tell.

    The kernel's own peak counts only the largest of them.
    """
    total, process = 0.0, Path("/proc") / str(pid)
    with contextlib.suppress(OSError, ValueError):  # it may end while we look
        total = int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e9
        for task in (process / "task").iterdir():
            total += sum(resident(int(child)) for child in (task / "children").read_text().split())
    return total


def generate(landing: Path, students: int, years: str) -> Run:
    """A fictional state, delivered."""
    program = Path(sys.executable).with_name("accountability")
    return timed(str(program), "generate", "--students", str(students), "--years", years, "--out", str(landing))


def take_in(landing: Path, home: Path, year: int) -> Run:
    """Every delivery of one year into a home."""
    return timed(sys.executable, "-c", INTAKE, str(landing), str(home), str(year))
