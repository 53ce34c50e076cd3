"""How a student is named where the identifier itself must not stand: by a hash that only the private home can make.

Belongs here: the one way to hash, so that an entry of a quarantine and of a listing can be told to be of one student.
Does not: the key, which the home keeps (`intake/store.py` makes it).
"""

from __future__ import annotations

from pathlib import Path

KEY_FILE = "identifier.key"
LENGTH = 16
"""Hexadecimal digits shown: enough to tell a million students apart."""


def key_path(home: Path) -> Path:
    """Where a home keeps the secret of its hashes."""
    return home / KEY_FILE


def hashed(secret: str, column: str) -> str:
    """SQL expression of the hash of an identifier `column`; `secret` is SQL of the key in hexadecimal, such as `?`."""
    return f"substr(sha256({secret} || ':' || {column}), 1, {LENGTH})"
