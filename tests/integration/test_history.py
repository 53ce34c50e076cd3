"""Dagster's events as a home keeps them: in Dagster's own files, and no writer gives up early."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage
from sqlalchemy import event
from sqlalchemy.engine import Engine

from orchestration.automation import history
from orchestration.automation.history import PATIENCE_MS, EventLog


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EventLog:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    return EventLog.from_config_value(None, {})


def test_the_files_are_those_of_dagsters_own_storage(log: EventLog, tmp_path: Path) -> None:
    with log.run_connection("a-run") as connection:
        connection.exec_driver_sql("SELECT count(*) FROM event_logs")
    own = SqliteEventLogStorage(str(tmp_path / "history" / "runs"))
    assert own.get_all_run_ids() == ["a-run"]
    assert (tmp_path / "history" / "runs" / "index.db").is_file()


def test_a_locked_file_is_waited_for_in_every_process(log: EventLog) -> None:
    """Also where nobody asked for patience: the webserver and the daemon open the same files."""
    if event.contains(Engine, "connect", history._wait):  # an earlier test ran a year
        event.remove(Engine, "connect", history._wait)
    with log.run_connection("a-run") as connection:
        patience = connection.exec_driver_sql("PRAGMA busy_timeout").fetchall()
        assert isinstance(connection.connection.dbapi_connection, sqlite3.Connection)
    assert patience == [(PATIENCE_MS,)]


def test_a_file_stays_open_and_has_all_events_for_whoever_looks_meanwhile(log: EventLog, tmp_path: Path) -> None:
    with log.run_connection("a-run") as connection:
        connection.exec_driver_sql("CREATE TABLE said (word)")
        first = connection.connection.dbapi_connection
    with log.run_connection("a-run") as connection:
        connection.exec_driver_sql("INSERT INTO said VALUES ('heard')")
        assert connection.connection.dbapi_connection is first
    with sqlite3.connect(tmp_path / "history" / "runs" / "a-run.db") as another:
        assert another.execute("SELECT word FROM said").fetchall() == [("heard",)]


def test_a_file_that_was_removed_is_not_written_to_any_more(log: EventLog, tmp_path: Path) -> None:
    """`dagster run wipe` removes the files of runs while a webserver has them open."""
    runs = tmp_path / "history" / "runs"
    with log.run_connection("a-run"):
        pass
    SqliteEventLogStorage(str(runs)).wipe()
    assert not (runs / "a-run.db").exists()
    with log.run_connection("a-run") as connection:
        connection.exec_driver_sql("CREATE TABLE said (word)")
    with sqlite3.connect(runs / "a-run.db") as another:
        assert another.execute("SELECT count(*) FROM said").fetchall() == [(0,)]


def test_engines_of_old_runs_are_let_go_of(log: EventLog) -> None:
    for number in range(20):
        with log.run_connection(f"run-{number}"):
            pass
    kept = history._engine.cache_info()
    assert kept.currsize == kept.maxsize == 16
