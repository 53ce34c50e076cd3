"""How Dagster's history is opened when it is kept in SQLite files, as it is on one machine.

Belongs here: patience with a file that another program holds. Does not: what is written into it.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy import event
from sqlalchemy.engine import Engine

PATIENCE_MS = 60_000
"""Milliseconds. A backup, or somebody who looks with another program, holds a file for some seconds; Dagster by itself
waits five for the list of runs (and a minute for events), and a run would fail for it."""


def wait_for_locked_files() -> None:
    """From now on every SQLite connection of this process waits for a locked file; other databases do so anyway."""
    if not event.contains(Engine, "connect", _wait):
        event.listen(Engine, "connect", _wait)


def _wait(connection: object, _: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
