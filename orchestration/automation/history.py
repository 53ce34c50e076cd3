"""Dagster's history as it is kept on one machine, in SQLite files: how they are opened, and how events get in.

Belongs here: patience with a file that another program holds, files that stay open. Does not: what is written.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

PATIENCE_MS = 60_000
"""Milliseconds. A backup, or somebody who looks with another program, holds a file for some seconds; Dagster by itself
waits five for the list of runs (and half a minute for events), and a run would fail for it."""
EVENTS = ("history", "runs")
"""Where Dagster's own storage of a home keeps events: below DAGSTER_HOME."""


def wait_for_locked_files() -> None:
    """From now on every SQLite connection of this process waits for a locked file; other databases do so anyway."""
    if not event.contains(Engine, "connect", _wait):
        event.listen(Engine, "connect", _wait)


def _wait(connection: object, _: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")


class EventLog(SqliteEventLogStorage):
    """Dagster's own storage of events in the same files, which stay open: named in dagster.yaml.

    Dagster makes an engine and opens the file for each event. Each engine compiles every statement anew, and whoever is
    the last to close a file empties its write-ahead log: five times the work of writing an event.
    """

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Nothing to set: the place is Dagster's."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:  # noqa: ARG003
        """The storage of the instance that DAGSTER_HOME names."""
        return cls(str(Path(os.environ["DAGSTER_HOME"], *EVENTS)), inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = _engine(self.conn_string_for_shard(shard))
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection


@lru_cache(maxsize=16)  # a webserver looks at the files of thousands of runs
def _engine(address: str) -> Engine:
    engine = create_engine(
        address,
        poolclass=QueuePool,
        pool_size=1,  # the lock of the storage lets one thread in at a time
        connect_args={"timeout": PATIENCE_MS / 1000, "check_same_thread": False},
    )
    file = Path(str(engine.url.database))

    def opened(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        # When the machine loses power the last events may be lost, never a file; what a home decides by is synced
        # elsewhere.
        connection.execute("PRAGMA synchronous = NORMAL")
        record.info["file"] = _identity(file)

    def is_still_there(_: sqlite3.Connection, record: ConnectionPoolEntry, __: object) -> None:
        if record.info["file"] != _identity(file):  # `dagster run wipe`, a restored backup: open the one there is now
            raise DisconnectionError

    event.listen(engine, "connect", opened)
    event.listen(engine, "checkout", is_still_there)
    return engine


def _identity(file: Path) -> tuple[int, int] | None:
    """Which file now has this name."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
