"""What is remembered of landed files: never a digest of other bytes, and each file is read once."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from orchestration.files import sha256_of
from orchestration.intake import digests
from orchestration.intake.digests import FILE, STILL, landed_digests, read_digests


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose landed file has not changed for long enough, by a clock that runs ahead."""
    (tmp_path / "a.csv").write_text("one\n")
    monkeypatch.setattr(digests.time, "time", lambda later=time.time: later() + STILL + 1)
    return tmp_path


def _read(home: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many files are read to know the digest of the landed one; it is right in any case."""
    read: list[Path] = []

    def reading(path: Path) -> str:
        read.append(path)
        return sha256_of(path)

    with monkeypatch.context() as patched, landed_digests(home) as remembered:
        patched.setattr(digests, "sha256_of", reading)
        assert remembered.of(home / "a.csv") == sha256_of(home / "a.csv")
    return len(read)


def test_a_file_is_read_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [_read(home, monkeypatch) for _ in range(3)] == [1, 0, 0]
    assert (home / FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("times", ["new", "kept"])
def test_other_bytes_of_the_same_length_are_read(home: Path, monkeypatch: pytest.MonkeyPatch, times: str) -> None:
    file = home / "a.csv"
    assert _read(home, monkeypatch) == 1
    before = file.stat()
    time.sleep(0.02)  # longer than a tick of the file system's clock
    file.write_text("two\n")
    if times == "kept":  # as a copy that keeps times does: only the system's own time tells
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert read_digests(home).known(file) is None
    assert _read(home, monkeypatch) == 1


def test_a_file_that_takes_its_place_is_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _read(home, monkeypatch) == 1
    (home / "b.csv").write_text("two\n")
    os.replace(home / "b.csv", home / "a.csv")
    assert _read(home, monkeypatch) == 1


def test_a_file_that_changed_moments_ago_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("one\n")
    assert [_read(tmp_path, monkeypatch) for _ in range(2)] == [1, 1]
    assert not (tmp_path / FILE).exists()


def test_a_clock_that_was_set_back_remembers_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests.time, "time", lambda: 0.0)
    assert [_read(home, monkeypatch) for _ in range(2)] == [1, 1]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a.csv": 1}', '{"a.csv": [1, "x"]}'])
def test_a_memory_that_cannot_be_understood_is_none(home: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (home / FILE).write_text(text)
    assert [_read(home, monkeypatch) for _ in range(2)] == [1, 0]


def test_files_that_are_gone_are_forgotten(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _read(home, monkeypatch) == 1
    (home / "b.csv").write_text("two\n")
    with landed_digests(home) as remembered:
        remembered.of(home / "b.csv")
    (home / "a.csv").unlink()
    with landed_digests(home) as remembered:
        (home / "c.csv").write_text("three\n")
        remembered.of(home / "c.csv")
    assert "a.csv" not in (home / FILE).read_text()
    assert "b.csv" in (home / FILE).read_text()


def test_a_home_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("one\n")
    with landed_digests(tmp_path / "home") as remembered:
        assert remembered.of(tmp_path / "a.csv") == sha256_of(tmp_path / "a.csv")
    assert not (tmp_path / "home").exists()
