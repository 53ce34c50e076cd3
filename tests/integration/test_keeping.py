"""What holds a home for a run: record, log, the watch over a step that hangs, runs that were killed, messages."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr

from orchestration.automation.abandoned import FAULT, settle_abandoned
from orchestration.automation.annual import dagster_instance
from orchestration.automation.keeping import LOCK, writer
from orchestration.automation.notifying import notify
from orchestration.automation.retention import A_DAY, forget_history, tidy
from orchestration.files import exclusive
from orchestration.intake.store import Store
from orchestration.processes import is_alive, this_process
from orchestration.settings import PROJECT, Settings
from tests.support.processes import is_there

LIGHT = """
import logging, sys, time
from pathlib import Path
import dagster as dg
from orchestration.automation import annual
from orchestration.automation.keeping import writer
from orchestration.settings import Settings

settings = Settings(home=Path(sys.argv[1]), **eval(sys.argv[3]))

@dg.op(required_resource_keys={"writer"})
def begin():
    logging.getLogger("orchestration.intake").info("begun")

@dg.op(required_resource_keys={"writer"}, ins={"after": dg.In(dg.Nothing)})
def work():
    exec(sys.argv[2])

@dg.job(resource_defs={"writer": writer(settings)}, partitions_def=dg.StaticPartitionsDefinition(["2025"]),
        executor_def=dg.in_process_executor, name="light_student")
def light():
    work(begin())

instance = annual.dagster_instance(settings)
quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
done = light.execute_in_process(quiet, instance=instance, partition_key="2025", raise_on_error=False)
sys.exit(0 if done.success else 1)
"""
"""A run of two small steps that holds the home as every run does: home, what the second step does, settings."""


def light(home: Path, work: str, **settings: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", LIGHT, str(home), textwrap.dedent(work), repr(settings)]
    return subprocess.Popen(
        command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def ended(process: subprocess.Popen[str]) -> int:
    process.communicate(timeout=120)
    return process.returncode


def records(home: Path) -> list[dict[str, Any]]:
    return Store(home).runs(2025)


def until(true: Any, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that succeeded and one that failed."""
    home = tmp_path_factory.mktemp("kept") / "home"
    assert ended(light(home, "import time; held = bytearray(200 * 2**20); time.sleep(1)")) == 0
    assert ended(light(home, "raise ValueError('broken')")) == 1
    return home


class TestRecord:
    def test_a_run_is_written_down_with_time_and_memory_of_each_step(self, home: Path) -> None:
        record = records(home)[0]
        assert (record["state"], record["succeeded"], record["faults"]) == ("succeeded", True, [])
        assert (record["year"], record["source"], record["stage"]) == (2025, "student", "official")
        assert [step["step"] for step in record["steps"]] == ["begin", "work"]
        work = record["steps"][1]
        assert work["seconds"] >= 1
        assert work["peak_bytes"] > 200 * 2**20

    def test_a_failed_run_says_at_which_step_and_why(self, home: Path) -> None:
        record = records(home)[1]
        assert (record["state"], record["succeeded"]) == ("failed", False)
        assert record["faults"] == ["work: ValueError: broken"]

    def test_the_log_has_one_json_object_a_line_with_the_run(self, home: Path) -> None:
        file = home / "logs" / "accountability.jsonl"
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        assert [line["message"] for line in lines] == ["begun", "begun"]
        assert {line["run_id"] for line in lines} == {record["run_id"] for record in records(home)}
        assert {(line["year"], line["room"], line["level"]) for line in lines} == {(2025, "intake", "info")}
        assert file.stat().st_mode & 0o077 == 0


def test_a_step_that_hangs_is_stopped_and_the_run_says_so(tmp_path: Path) -> None:
    process = light(tmp_path / "home", "import time; time.sleep(600)", step_limit=3)
    assert ended(process) != 0
    record = records(tmp_path / "home")[0]
    assert record["state"] == "failed"
    assert record["faults"] == ["work: took longer than 3 s and was stopped (ACCOUNTABILITY_STEP_LIMIT)"]
    with exclusive(tmp_path / "home" / LOCK, 0):
        pass


def test_a_step_that_does_not_even_heed_that_is_ended_with_its_children(tmp_path: Path) -> None:
    stubborn = """
    import signal, subprocess, time
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    child = subprocess.Popen(["sleep", "600"])
    open("%s", "w").write(str(child.pid))
    time.sleep(600)
    """
    note = tmp_path / "child"
    process = light(tmp_path / "home", stubborn % note, step_limit=3, grace=2)
    assert ended(process) == 70
    until(lambda: not is_there(int(note.read_text())))
    instance = dagster_instance(Settings(home=tmp_path / "home"))
    assert len(settle_abandoned(instance, Settings(home=tmp_path / "home"))) == 1
    assert records(tmp_path / "home")[0]["state"] == "abandoned"


def test_a_killed_run_is_told_from_one_at_work_and_marked_everywhere(tmp_path: Path) -> None:
    home, settings = tmp_path / "home", Settings(home=tmp_path / "home")
    process = light(home, "import time; time.sleep(600)")
    until(lambda: records(home) and records(home)[0]["state"] == "running")
    until(lambda: (home / "logs").exists())
    instance = dagster_instance(settings)
    assert settle_abandoned(instance, settings) == [], "it is at work"
    waiting = light(home, "pass")
    until(lambda: len(records(home)) == 2)
    assert records(home)[1]["state"] == "waiting"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert ended(waiting) == 0, "the next run gets the home without any help"
    killed, after = records(home)
    assert settle_abandoned(instance, settings) == [killed["run_id"]]
    killed = records(home)[0]
    assert (killed["state"], killed["faults"]) == ("abandoned", [FAULT])
    assert after["state"] == "succeeded"
    run = instance.get_run_by_id(killed["run_id"])
    assert run is not None
    assert run.status == dg.DagsterRunStatus.FAILURE
    assert settle_abandoned(instance, settings) == [], "once is enough"


def test_a_second_run_says_that_it_waits_for_the_first(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = light(home, "import time; time.sleep(12)")
    until(lambda: records(home) and records(home)[0]["state"] == "running")
    second = light(home, "pass")
    said, _ = second.communicate(timeout=120)
    assert (ended(first), second.returncode) == (0, 0)
    assert "another run is writing; waiting for it to end" in said
    before, after = records(home)
    assert before["ended"] <= after["ended"]
    assert [r["state"] for r in (before, after)] == ["succeeded", "succeeded"]


def test_a_process_is_not_taken_for_a_later_one_with_its_number() -> None:
    process = this_process()
    assert is_alive(process)
    assert not is_alive(process | {"started": "1"})
    assert not is_alive(process | {"boot": "another"})
    child = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(0,))
    child.start()
    child.join()
    assert child.pid is not None
    assert not is_alive(process | {"pid": child.pid})


def test_a_run_waits_for_the_history_that_another_program_has_locked(tmp_path: Path, home: Path) -> None:
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    with contextlib.closing(sqlite3.connect(copy / "dagster" / "history" / "runs.db")) as locked:
        locked.execute("BEGIN EXCLUSIVE")
        process = light(copy, "pass")
        time.sleep(14)  # imports take some seconds of it; Dagster by itself waits five
        locked.rollback()
    assert ended(process) == 0
    assert records(copy)[-1]["state"] == "succeeded"


# --- Messages --------------------------------------------------------------------------------------------------------


class Listener(BaseHTTPRequestHandler):
    got: list[dict[str, Any]]
    answers: list[int]

    def do_POST(self) -> None:
        self.got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(self.answers.pop(0) if self.answers else 200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    Listener.got, Listener.answers = [], []
    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook?secret=s3cret"
    server.shutdown()
    server.server_close()


def test_a_failed_run_is_told_to_a_command_and_to_an_address(tmp_path: Path, address: str) -> None:
    note = tmp_path / "note"
    command = f"{sys.executable} -c \"import sys; open('{note}', 'a').write(sys.stdin.read())\""
    process = light(tmp_path / "home", "raise ValueError('broken')", notify_command=command, notify_url=address)
    assert ended(process) == 1
    told = json.loads(note.read_text())
    assert told == Listener.got[0]
    assert told["event"] == "run_failed"
    assert told["faults"] == ["work: ValueError: broken"]


def test_a_message_that_cannot_be_delivered_is_one_line_without_the_address(
    tmp_path: Path, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    Listener.answers = [500]
    settings = Settings(home=tmp_path, notify_command="/no/such/program", notify_url=SecretStr(address))
    notify({"event": "run_failed"}, settings)
    assert [record.getMessage() for record in caplog.records] == [
        "ACCOUNTABILITY_NOTIFY_COMMAND: FileNotFoundError; nobody was told",
        "ACCOUNTABILITY_NOTIFY_URL: HTTPStatusError; nobody was told",
    ]
    assert "s3cret" not in caplog.text + repr(settings)


# --- What is thrown away ---------------------------------------------------------------------------------------------


def test_only_work_files_that_nobody_uses_are_removed(tmp_path: Path) -> None:
    of_room = tmp_path / "tables" / "indicators" / "student"
    for name in (".made-used", ".made-left"):
        (of_room / name).mkdir(parents=True)
    (of_room / "2025").symlink_to(".made-used")
    (tmp_path / "published" / "2025" / ".made-left").mkdir(parents=True)
    (tmp_path / "published" / "2025" / "student-official-001").mkdir()
    for name in ("old", "new"):
        (tmp_path / "build" / name).mkdir(parents=True)
    long_ago = time.time() - A_DAY - 1
    os.utime(tmp_path / "build" / "old", (long_ago, long_ago))
    removed = {path.relative_to(tmp_path).as_posix() for path in tidy(Settings(home=tmp_path))}
    assert removed == {"tables/indicators/student/.made-left", "published/2025/.made-left", "build/old"}
    assert {p.name for p in of_room.iterdir()} == {".made-used", "2025"}
    assert (tmp_path / "published" / "2025" / "student-official-001").is_dir()
    assert (tmp_path / "build" / "new").is_dir()


def test_the_database_of_a_last_build_goes_after_its_days(tmp_path: Path) -> None:
    for year, days in (("2024", 46), ("2025", 44)):
        folder = tmp_path / "models" / "student" / year
        folder.mkdir(parents=True)
        (folder / "build.duckdb").touch()
        then = time.time() - days * A_DAY
        os.utime(folder, (then, then))
    assert [path.name for path in tidy(Settings(home=tmp_path))] == ["2024"]
    assert (tmp_path / "models" / "student" / "2025" / "build.duckdb").is_file()
    assert [path.name for path in tidy(Settings(home=tmp_path, keep_builds=0))] == ["2025"], "0: not at all"
    assert list((tmp_path / "models" / "student").iterdir()) == []


def test_old_history_goes_and_new_history_stays(tmp_path: Path) -> None:
    @dg.job(resource_defs={"writer": writer(Settings(home=tmp_path))})
    def nothing() -> None:
        pass

    with dg.instance_for_test() as instance:
        assert nothing.execute_in_process(instance=instance).success
        assert forget_history(instance, Settings(home=tmp_path, keep_history=1)) == 0
        assert forget_history(instance, Settings(home=tmp_path, keep_history=-1)) == 1
        assert instance.get_run_records() == []
