"""The log of a home: one JSON object a line, for machines. Lines for people go to the terminal as before.

Belongs here: the form of a line, the file and its turning over. Does not: what is said; no room says an identifier.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from orchestration.files import private_folder

FILE = "accountability.jsonl"
BYTES, FILES = 10 * 2**20, 5
"""A file of this size is put aside; so many are kept."""


@contextmanager
def logged(home: Path, about: Mapping[str, Any]) -> Iterator[None]:
    """Write what every room logs to `<home>/logs/`, each line with what it is `about`."""
    handler = _PrivateFile(private_folder(home / "logs", home) / FILE, maxBytes=BYTES, backupCount=FILES)
    handler.setFormatter(_Json(about))
    rooms = logging.getLogger("orchestration")
    level = rooms.level
    rooms.addHandler(handler)
    rooms.setLevel(logging.INFO)
    try:
        yield
    finally:
        rooms.removeHandler(handler)
        rooms.setLevel(level)
        handler.close()


class _PrivateFile(RotatingFileHandler):
    """Readable by its owner only, whatever the umask."""

    def _open(self) -> Any:
        return os.fdopen(
            os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8"
        )


class _Json(logging.Formatter):
    def __init__(self, about: Mapping[str, Any]):
        super().__init__()
        self.about = dict(about)

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            **self.about,
            "room": record.name.split(".")[1] if "." in record.name else record.name,
            "message": record.getMessage(),
        }
        return json.dumps(told, ensure_ascii=False)
