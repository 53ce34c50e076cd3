"""The command line as a user meets it: in a process of its own, judged by exit status and what it prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from orchestration.settings import PROJECT

COMMAND = Path(sys.executable).parent / "accountability"


def accountability(*words: str | Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *words], capture_output=True, text=True, cwd=PROJECT, env=os.environ | (env or {}), timeout=300
    )


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A small fictional state, landed, and its first annual run."""
    folder = tmp_path_factory.mktemp("state")
    done = accountability("generate", "--students", "2000", "--years", "2024-2025", "--out", folder / "landing")
    assert done.returncode == 0, done.stderr
    done = accountability("run", "--year", "2025", "--raw", folder, "--home", folder / "home")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(
        "Annual run of 2025 (student source, official) …\n2024 organisations (official) new: "
    )
    assert all(" delivered = " in line for line in done.stderr.splitlines()[1:])
    assert "2024: " in done.stdout
    assert f"Results: {folder / 'home' / 'snapshots' / '2025'}" in done.stdout
    return folder, folder / "home"


def test_help_names_every_command() -> None:
    done = accountability("--help")
    assert done.returncode == 0
    for command in ("generate", "pull", "run", "status"):
        assert command in done.stdout


def test_status_says_what_is_there_what_is_new_and_what_lacks(state: tuple[Path, Path]) -> None:
    folder, home = state
    found = json.loads(accountability("status", "--json", "--raw", folder, "--home", home).stdout)
    year = found["years"]["2025"]
    assert year["lacking"] == {"ledger": [], "student": []}
    assert year["arrived"] == year["unrecognised"] == []
    assert year["last_run"]["succeeded"]
    assert found["years"]["2024"]["last_run"]["succeeded"], "earlier years are brought up to date by the same run"
    mcas = next(entry for entry in year["collections"] if entry["collection"] == "mcas")
    assert mcas["rows"] == mcas["accepted"] + mcas["quarantined"] > 0
    assert not mcas["newer_than_last_run"]

    landed = folder / "landing" / "2025" / "mcas.csv"
    landed.write_text("\n".join(landed.read_text().splitlines()[:-1]) + "\n")
    found = json.loads(accountability("status", "--json", "--raw", folder, "--home", home).stdout)
    assert found["years"]["2025"]["arrived"] == [{"file": "2025/mcas.csv", "state": "new, not taken in yet"}]
    assert accountability("run", "--year", "2025", "--raw", folder, "--home", home).returncode == 0
    plain = accountability("status", "--raw", folder, "--home", home).stdout
    assert "2025 last run: " in plain
    assert "arrived" not in plain


def test_a_broken_delivery_fails_the_run_with_one_line_and_leaves_what_was_there(state: tuple[Path, Path]) -> None:
    folder, home = state
    before = sorted(p.name for p in (home / "manifest").rglob("*.json"))
    landed = folder / "landing" / "2025" / "access.csv"
    good = landed.read_bytes()
    landed.write_bytes(good.replace(b"grade", b"Grad", 1))
    done = accountability("run", "--year", "2025", "--raw", folder, "--home", home)
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert errors == ["error: 2025/access.csv: column 'Grad' is not in the contract of access; remove it"]
    assert sorted(p.name for p in (home / "manifest").rglob("*.json")) == before
    status = accountability("status", "--raw", folder, "--home", home).stdout
    assert "2025 arrived: 2025/access.csv: refused: 2025/access.csv: column 'Grad'" in status
    landed.write_bytes(good)
    assert accountability("run", "--year", "2025", "--raw", folder, "--home", home).returncode == 0


def test_one_years_bad_data_does_not_stop_another_year(state: tuple[Path, Path]) -> None:
    folder, home = state
    landed = folder / "landing" / "2024" / "access.csv"
    good = landed.read_bytes()
    landed.write_bytes(b"")
    done = accountability("run", "--year", "2025", "--raw", folder, "--home", home)
    landed.write_bytes(good)
    assert done.returncode == 0
    assert "warning: 2024: 2024/access.csv: the file is empty; deliver it again" in done.stderr


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["run"], 2, "Missing option '--year'"),
        (["run", "--year", "soon"], 2, "Invalid value for '--year'"),
        (["run", "--year", "1999"], 1, "error: --year 1999: is not a school year of the calendar"),
        (["run", "--year", "2025", "--raw", "/nowhere"], 1, "error: --raw /nowhere: no such folder"),
        (["run", "--year", "2025", "--stage", "draft"], 2, "'draft' is not one of"),
        (["generate", "--out", "/tmp/x", "--years", "2025-2023"], 2, "neither a year nor a range"),
        (["generate", "--out", "/tmp/x", "--students", "3"], 1, "students"),
        (
            ["pull", "--year", "2018", "--base-url", "ftp://x"],
            1,
            "error: --base-url: must begin with https:// or http://",
        ),
        (["launch"], 2, "No such command 'launch'"),
    ],
)
def test_wrong_usage_and_bad_input_have_their_exit_status(words: list[str], status: int, message: str) -> None:
    done = accountability(*words)
    assert done.returncode == status
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_collection_is_named(tmp_path: Path) -> None:
    (tmp_path / "landing").mkdir()
    done = accountability("run", "--year", "2025", "--raw", tmp_path, "--home", tmp_path / "home")
    assert done.returncode == 1
    assert (
        f"error: {tmp_path / 'landing' / '2025'}: no official delivery of organisations for 2025; put one there"
        in done.stderr
    )


def test_the_home_can_come_from_the_environment(tmp_path: Path) -> None:
    done = accountability(
        "status", env={"ACCOUNTABILITY_HOME": str(tmp_path / "h"), "ACCOUNTABILITY_LANDING": str(tmp_path)}
    )
    assert done.stdout.startswith(f"home    {tmp_path / 'h'}\n")


def test_no_identifier_is_printed(state: tuple[Path, Path]) -> None:
    """Not by a run that quarantines, not by one that refuses, not in the run's record or Dagster's log."""
    folder, home = state
    landed = folder / "landing" / "2025" / "dropouts.csv"
    good = landed.read_text().splitlines()
    identifiers = {line.split(",")[good[0].split(",").index("sasid")] for line in good[1:]}
    landed.write_text("\n".join([*good, *good[1:]]) + "\n")
    done = accountability("run", "--year", "2025", "--raw", folder, "--home", home)
    landed.write_text("\n".join(good) + "\n")
    assert done.returncode == 1
    assert "duplicate_key" in done.stderr
    written = [
        path.read_bytes()
        for part in ("runs", "refused", "manifest", "dagster")
        for path in (home / part).rglob("*")
        if path.is_file()
    ]
    assert written
    for identifier in identifiers:
        assert identifier not in done.stdout + done.stderr
        assert all(identifier.encode() not in content for content in written)
