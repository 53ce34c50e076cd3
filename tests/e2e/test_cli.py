"""The command line as a user meets it: in a process of its own, judged by exit status and what it prints."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from orchestration.settings import PROJECT

COMMAND = Path(sys.executable).parent / "accountability"
TOKEN = "token-that-nobody-may-see"
HOSTILE = "<script>alert(1)</script>'); DROP TABLE judged; --"
"""Name of a school, chosen by somebody who means harm."""


def accountability(
    *words: str | Path, env: Mapping[str, str] | None = None, umask: int = -1
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *words],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env=os.environ | (env or {}),
        timeout=300,
        umask=umask,
    )


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A small fictional state with planted defects, landed, and its first annual run, by a user who hides nothing."""
    folder = tmp_path_factory.mktemp("state")
    state = ("--students", "2000", "--years", "2024-2025", "--defects", "12")
    done = accountability("generate", *state, "--out", folder / "landing")
    assert done.returncode == 0, done.stderr
    directory = folder / "landing" / "2025" / "organisations.csv"
    rows = list(csv.DictReader(directory.read_text().splitlines()))
    next(row for row in rows if row["org_type"] == "school")["org_name"] = HOSTILE
    with directory.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    token = {"ACCOUNTABILITY_HUB_APP_TOKEN": TOKEN}
    done = accountability("run", "--year", "2025", "--raw", folder, "--home", folder / "home", env=token, umask=0)
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


def test_it_ends_at_once_but_after_everything_is_said_and_put_away() -> None:
    code = (
        "import atexit\nfrom orchestration import cli\natexit.register(print, 'put away')\n"
        "def broken():\n    print('said')\n    raise RuntimeError('as by a fault of the program')\n"
        "cli.app = broken\ncli.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=PROJECT)
    assert (done.returncode, done.stdout.split("\n")) == (1, ["said", "put away", ""])
    assert "RuntimeError: as by a fault of the program" in done.stderr


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


def test_everything_is_the_owners_alone_whatever_the_umask(state: tuple[Path, Path]) -> None:
    _, home = state
    paths = [path for path in (home, *home.rglob("*")) if not path.is_symlink()]
    assert [path for path in paths if path.stat().st_mode & 0o077] == []
    assert {"dagster", "published", "tables", "validation", "snapshots"} <= {path.name for path in home.iterdir()}


def content_of(path: Path) -> Iterator[bytes]:
    """What a file says, unpacked."""
    if path.suffix == ".parquet":
        yield str(pq.read_table(path).to_pydict()).encode()
    elif path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(name) for name in archive.namelist())
    else:
        yield path.read_bytes()


def test_no_student_and_no_token_stands_outside_the_records(state: tuple[Path, Path]) -> None:
    """Not in a table, a release, a report, a workbook, nor in Dagster's history and logs."""
    folder, home = state
    students = {
        row["sasid"].encode()
        for file in (folder / "landing").glob("*/sims*.csv")
        for row in csv.DictReader(file.read_text().splitlines())
    }
    assert len(students) > 2000
    written = [path for path in home.rglob("*") if path.is_file() and not path.is_symlink()]
    of_records = ("accepted-000.parquet", "build.duckdb")
    outside = [p for p in written if p.name not in of_records and "deliveries" not in p.relative_to(home).parts]
    assert {".db", ".csv", ".html", ".xlsx", ".json", ".parquet"} <= {path.suffix for path in outside}

    def named_in(path: Path) -> set[bytes]:
        return students & {found for content in content_of(path) for found in re.findall(rb"(?=(\d{10}))", content)}

    records = [path for path in written if path.name == "accepted-000.parquet" and "sims" in path.parts]
    assert len(set().union(*map(named_in, records))) > 2000, "the search finds what is there"
    for path in outside:
        assert not named_in(path), path
        assert not [content for content in content_of(path) if TOKEN.encode() in content], path


def test_a_hostile_name_is_text_wherever_it_stands(state: tuple[Path, Path]) -> None:
    _, home = state
    release = home / "published" / "2025" / "current"
    with (release / "organisations.csv").open(newline="") as file:
        [code] = [row["org_code"] for row in csv.DictReader(file) if row["org_name"] == HOSTILE]
    page = accountability("explain", "--year", "2025", "--org", code, "--format", "html", "--home", home).stdout
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    for text in (page, *(file.read_text() for file in home.rglob("*.html"))):
        assert "<script>alert" not in text
