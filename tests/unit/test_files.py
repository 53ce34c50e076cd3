"""Files appear whole or not at all; private folders stay private and never reach above the home."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.files import private_folder, write_whole


def test_a_write_that_breaks_off_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, [b"old"])

    def chunks() -> Iterator[bytes]:
        yield b"new"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_whole(path, chunks())
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_private_folders_are_closed_up_to_the_home_and_no_further(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    home = tmp_path / "home"
    (home / "a").mkdir(parents=True, mode=0o755)
    assert private_folder(home / "a" / "b", home) == home / "a" / "b"
    assert [stat.S_IMODE(p.stat().st_mode) for p in (home, home / "a", home / "a" / "b")] == [0o700] * 3
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    with pytest.raises(ValueError, match="not in the subpath"):
        private_folder(tmp_path / "elsewhere", home)
