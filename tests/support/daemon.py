"""A real Dagster daemon and webserver over a home and a landing folder: started, watched, killed as a machine might."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import dagster as dg

from orchestration.automation.annual import dagster_instance
from orchestration.settings import PROJECT, Settings
from tests.support.processes import processes_with

LOOPBACK = "127.0.0.1"


class Daemon:
    """Automation is switched on the documented way, with short intervals. Nothing of it outlives `stop`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.settings = Settings(home=folder / "home", landing=folder / "landing")
        self.instance = dagster_instance(self.settings)
        self.process: subprocess.Popen[bytes] | None = None
        self.server: subprocess.Popen[bytes] | None = None
        self.port = _free_port()

    def start(self) -> None:
        """Start it, in a session of its own."""
        self.process = self._started("dagster-daemon", "run", "-w", "workspace.yaml")

    def serve(self) -> None:
        """Start the webserver over the same home."""
        self.server = self._started("dagster-webserver", "-w", "workspace.yaml", "-h", LOOPBACK, "-p", str(self.port))

    def shown(self) -> list[tuple[str, str]]:
        """School year and state of every run as the webserver shows them, oldest first; none while it is not there."""
        query = "{ runsOrError { ... on Runs { results { status tags { key value } } } } }"
        asked = urllib.request.Request(
            f"http://{LOOPBACK}:{self.port}/graphql",
            data=json.dumps({"query": query}).encode(),
            headers={"content-type": "application/json"},
        )
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                runs = json.load(answer)["data"]["runsOrError"]["results"]
        except OSError:
            return []
        tags = [{tag["key"]: tag["value"] for tag in run["tags"]} for run in runs]
        return [(of["dagster/partition"], run["status"]) for of, run in zip(tags, runs, strict=True)][::-1]

    def _started(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        given = {
            "DAGSTER_HOME": str(self.settings.home / "dagster"),
            "ACCOUNTABILITY_HOME": str(self.settings.home),
            "ACCOUNTABILITY_LANDING": str(self.settings.landing),
            "ACCOUNTABILITY_AUTOMATION": "true",
            "ACCOUNTABILITY_LOOK_EVERY": "2",
        }
        with (self.folder / f"{program}.log").open("ab") as log:
            return subprocess.Popen(
                [Path(sys.executable).with_name(program), *arguments],
                cwd=PROJECT,
                env=os.environ | given,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """kill -9 of daemon and webserver alone; the run that is at work goes on."""
        for process in (self.process, self.server):
            assert process is not None
            process.kill()
            process.wait()

    def stop(self) -> None:
        """End the daemon and everything that it started."""
        for pid in processes_with(str(self.settings.home)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        for process in (self.process, self.server):
            if process:
                process.kill()
                process.wait()

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
                log = (self.folder / "dagster-daemon.log").read_text(errors="replace")[-3000:]
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


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((LOOPBACK, 0))
        return int(found.getsockname()[1])
