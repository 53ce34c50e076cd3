"""A real Dagster daemon over a home and a landing folder: started, watched and killed as a machine might do it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg

from orchestration.automation.annual import dagster_instance
from orchestration.settings import PROJECT, Settings


class Daemon:
    """Automation is switched on the documented way, with short intervals. Nothing of it outlives `stop`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.settings = Settings(home=folder / "home", landing=folder / "landing")
        self.instance = dagster_instance(self.settings)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, in a session of its own."""
        given = {
            "DAGSTER_HOME": str(self.settings.home / "dagster"),
            "ACCOUNTABILITY_HOME": str(self.settings.home),
            "ACCOUNTABILITY_LANDING": str(self.settings.landing),
            "ACCOUNTABILITY_AUTOMATION": "true",
            "ACCOUNTABILITY_LOOK_EVERY": "2",
        }
        with (self.folder / "daemon.log").open("ab") as log:
            self.process = subprocess.Popen(
                [Path(sys.executable).with_name("dagster-daemon"), "run", "-w", "workspace.yaml"],
                cwd=PROJECT,
                env=os.environ | given,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """kill -9 of the daemon alone; the run that it started goes on."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End the daemon and everything that it started."""
        for pid in processes_with(str(self.settings.home)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if self.process:
            self.process.kill()
            self.process.wait()

    def runs(self) -> list[dg.DagsterRun]:
        """Every run that was asked for, in that order."""
        return [record.dagster_run for record in self.instance.get_run_records(ascending=True)]

    def told(self) -> list[tuple[str, str]]:
        """School year and state of every run."""
        return [(run.tags["dagster/partition"], run.status.value) for run in self.runs()]

    def until(self, true: Callable[[], bool], seconds: float = 400) -> None:
        """Wait for something to come true. Fails with the runs and the end of the log if it does not."""
        deadline = time.monotonic() + seconds
        while not true():
            if time.monotonic() > deadline:
                log = (self.folder / "daemon.log").read_text(errors="replace")[-3000:]
                raise AssertionError(f"it did not come to pass; runs: {self.told()}; log: {log}")
            time.sleep(0.5)

    def settled(self, count: int) -> bool:
        """Whether there are so many runs and all of them are over."""
        runs = self.runs()
        return len(runs) >= count and all(run.is_finished for run in runs)

    def ticks(self, sensor: str = "arrivals_student") -> int:
        """How often the sensor has looked so far."""
        states = self.instance.all_instigator_state()
        found = next((state for state in states if state.name == sensor), None)
        if found is None:
            return 0
        return len(self.instance.get_ticks(found.instigator_origin_id, found.selector_id))


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
