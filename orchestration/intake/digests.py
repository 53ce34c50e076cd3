"""The sha256 of landed files, remembered as long as the system says that they are as they were: each is read once.

Belongs here: what a file looks like from outside, and what was read of it then. Does not: whether a file is new.

A file's time can be set by whoever delivers it, the time of the last change of its inode only by the system. A file
that changed moments ago could change again within the same tick of that clock, so it is not remembered yet.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from orchestration.files import sha256_of, write_whole

FILE = "landed_digests.json"
"""In the home folder. It may be deleted: files are read again then."""
STILL = 2.0
"""Seconds that a file has not changed for when it is read, before it is remembered."""
Signature: TypeAlias = tuple[int, ...]
"""Device, inode, size, time of the last change of contents and of the inode, in nanoseconds."""


def signature(path: Path) -> Signature:
    """What the system says of a file; of a link itself. Raises OSError where there is none."""
    found = path.lstat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


class Digests:
    """Path to the signature and sha256 of each file that was read."""

    def __init__(self, known: dict[str, tuple[Signature, str]]):
        self._known, self.has_new = known, False

    def known(self, path: Path) -> str | None:
        """The sha256 of a file that is as it was when it was read, else None."""
        seen = self._known.get(str(path.absolute()))
        return seen[1] if seen and seen[0] == signature(path) else None

    def of(self, path: Path) -> str:
        """The sha256 of a file, read unless it is known. Raises OSError for one that cannot be read."""
        if known := self.known(path):
            return known
        before, began = signature(path), time.time()
        sha256 = sha256_of(path)
        if began - before[-1] / 1e9 > STILL and signature(path) == before:
            self._known[str(path.absolute())] = before, sha256
            self.has_new = True
        return sha256

    def to_json(self) -> str:
        """What is known of files that are still there."""
        there = {path: entry for path, entry in sorted(self._known.items()) if Path(path).exists()}
        return json.dumps(there, indent=0)


def read_digests(home: Path) -> Digests:
    """What is remembered in a home; nothing where that cannot be understood."""
    try:
        entries = json.loads((home / FILE).read_bytes())
        return Digests({path: (tuple(seen), str(sha256)) for path, (seen, sha256) in entries.items()})
    except (OSError, ValueError, TypeError, AttributeError):
        return Digests({})


@contextlib.contextmanager
def landed_digests(home: Path) -> Iterator[Digests]:
    """What is remembered in a home, and remembers what is read meanwhile; a home that cannot be written forgets it."""
    digests = read_digests(home)
    yield digests
    if digests.has_new and home.is_dir():
        with contextlib.suppress(OSError):
            write_whole(home / FILE, [digests.to_json().encode()])
