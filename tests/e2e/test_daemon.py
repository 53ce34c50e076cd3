"""Unattended: a real daemon with the real sensor. Files arrive, change, are touched; every process is killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.automation.jobs import STATE_TAG
from orchestration.intake.contracts import load_contracts
from orchestration.intake.store import Store
from orchestration.publication.checking import faults
from orchestration.releases import current, releases
from orchestration.settings import Settings
from orchestration.synthetic import generate
from tests.support.daemon import Daemon

YEAR = 2025
pytestmark = pytest.mark.xdist_group("daemon")


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    found = Daemon(tmp_path)
    yield found
    found.stop()


def turn(landing: Path) -> None:
    """Another delivery of dropouts: the same rows in another order are other bytes."""
    path = landing / str(YEAR) / "dropouts.csv"
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *rows[1:], rows[0]]) + "\n")


def working(daemon: Daemon) -> int | None:
    """Process of the run that is at work on a step."""
    record = next((r for _, r in Store(daemon.settings.home).unfinished_runs() if r["state"] == "running"), None)
    return int(record["process"]["pid"]) if record else None


def test_runs_start_when_data_arrive_and_only_then_and_survive_kills(daemon: Daemon, tmp_path: Path) -> None:
    home, landing = daemon.settings.home, daemon.settings.landing
    contracts = load_contracts(Settings().contracts)
    generate(tmp_path / "made", students=1_000, years=[YEAR], seed=1, contracts=contracts)
    daemon.start()
    daemon.until(lambda: daemon.ticks() >= 1)
    assert daemon.runs() == [], "nothing has landed"

    (tmp_path / "made").rename(landing)
    daemon.until(lambda: daemon.settled(1))
    assert daemon.told() == [("2025", "SUCCESS")]
    first = current(home, YEAR)
    assert first is not None

    looked = daemon.ticks()
    for path in (landing / str(YEAR)).iterdir():
        os.utime(path)  # touched, not changed
    daemon.until(lambda: daemon.ticks() >= looked + 4)
    assert len(daemon.runs()) == 1, "identical bytes start nothing"

    turn(landing)
    daemon.until(lambda: working(daemon) is not None)
    turn(landing)  # a delivery in the middle of a run
    killed = working(daemon) or 0
    os.kill(killed, signal.SIGKILL)

    daemon.serve()
    daemon.until(lambda: working(daemon) not in (None, killed) and daemon.shown() == daemon.told())
    daemon.kill()  # webserver and daemon, while the run that follows the killed one works
    assert daemon.shown() == []
    daemon.until(lambda: working(daemon) is None)
    assert current(home, YEAR) != first, "the run went on by itself"
    daemon.start()
    daemon.serve()

    daemon.until(lambda: daemon.settled(3) and daemon.runs()[-1].status.value == "SUCCESS")
    looked = daemon.ticks()
    daemon.until(lambda: daemon.settled(3) and daemon.ticks() >= looked + 3)
    told = daemon.told()
    daemon.until(lambda: daemon.shown() == told)
    assert told[1] == ("2025", "FAILURE"), "the killed run is marked"
    assert {state for _, state in told[2:]} == {"SUCCESS"}
    asked = [run.tags[STATE_TAG] for run in daemon.runs() if run.parent_run_id is None]
    assert len(asked) == len(set(asked)), "no state is asked for twice"
    delivered = (landing / str(YEAR) / "dropouts.csv").read_bytes()
    snapshot = Store(home).in_force(YEAR, "dropouts", "official")[""]
    assert Store(home).delivery(snapshot.sha256).read_bytes() == delivered, "what arrived during the run was not lost"
    assert [fault for release in releases(home, YEAR) for fault in faults(release)] == []
