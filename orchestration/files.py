"""Writing files that appear whole or not at all, and folders that only their owner can read."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO


def write_whole(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a file of mode 0600 that appears whole or not at all."""
    with whole(path) as file:
        file.writelines(chunks)


@contextlib.contextmanager
def whole(path: Path, mode: int = 0o600) -> Iterator[IO[bytes]]:
    """A file to write into, which takes its name when the block ends; a hidden name stands in meanwhile."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    sync(path.parent)


@contextlib.contextmanager
def exclusive(lock: Path, patience: float, told: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold a lock file alone; the system gives it back when the process ends, however it ends.

    Another holder is waited for, up to `patience` seconds, then TimeoutError; `told` is called once before waiting.
    """
    with os.fdopen(os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)) as file:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if told:
                    told()
                    told = None
                if time.monotonic() > deadline:
                    raise TimeoutError(str(lock)) from None
                time.sleep(0.05)
        yield


def sync(path: Path) -> None:
    """Have the system write a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def make_private(folder: Path) -> None:
    """Close a folder and all that lies in it to everybody but the owner, whatever umask it was written under."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o700 if path.is_dir() else 0o600)


def private_folder(folder: Path, home: Path) -> Path:
    """Make a folder below `home`; it and every one up to the home become readable by the owner only."""
    place = home
    for part in ("", *folder.relative_to(home).parts):  # never above the home
        place = place / part
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if place.stat().st_mode & 0o077:
            place.chmod(0o700)
    return folder
