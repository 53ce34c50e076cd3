"""Faults of the machine under a whole run: what was published stays, the message is one line, the next run succeeds."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.intake.contracts import load_contracts
from orchestration.settings import PROJECT, Settings
from orchestration.synthetic import generate
from tests.support.releases import bytes_of

YEAR = 2025
PROGRAM = Path(sys.executable).with_name("accountability")
HANGING_GATE = """
import time
from orchestration import cli
from orchestration.validation import checks
checks.validate = lambda *_, **__: time.sleep(600)
cli.main()
"""


def run(folder: Path, *program: str | Path, limit: int | None = None, **environment: str) -> tuple[int, list[str]]:
    """Exit status and the error lines of an annual run; `limit`: bytes that a file may have, as on a full disk."""

    def full() -> None:
        if limit is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing fails instead, as it does on a full disk
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    words = ["run", "--year", str(YEAR), "--raw", str(folder), "--home", str(folder / "home")]
    done = subprocess.run(
        [*(program or (PROGRAM,)), *words],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env={"PATH": "/usr/bin:/bin", **environment},
        preexec_fn=full,
        timeout=300,
    )
    assert (
        limit or "Traceback" not in done.stderr
    )  # without room Dagster complains at length that it cannot keep its log
    return done.returncode, [line for line in done.stderr.splitlines() if line.startswith("error: ")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small state with its first release, and a corrected delivery that has landed since."""
    folder = tmp_path_factory.mktemp("faults") / "O'Brien's state"  # not for SQL to read
    contracts = load_contracts(Settings().contracts)
    generate(folder / "landing", students=1_000, years=[YEAR], seed=1, contracts=contracts)
    assert run(folder) == (0, [])
    path = folder / "landing" / str(YEAR) / "dropouts.csv"
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *rows[1:], rows[0]]) + "\n")
    return folder


def test_after_each_fault_what_was_published_stays_and_the_next_run_succeeds(folder: Path) -> None:
    published = bytes_of(folder / "home" / "published")

    status, errors = run(folder, limit=1_500_000)
    assert status == 1
    assert len(errors) == 1
    assert bytes_of(folder / "home" / "published") == published

    status, errors = run(folder, sys.executable, "-c", HANGING_GATE, ACCOUNTABILITY_STEP_LIMIT="40")
    assert status == 1
    assert len(errors) == 1
    assert "took longer than 40 s and was stopped" in errors[0]
    assert bytes_of(folder / "home" / "published") == published

    assert run(folder) == (0, [])
    now, moved = bytes_of(folder / "home" / "published"), f"{YEAR}/current"
    assert published.pop(moved) != now[moved], "a release of the corrected delivery is in force"
    assert published.items() <= now.items()
