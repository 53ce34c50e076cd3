"""The store survives what happens to stores: kill -9, two writers, damaged files, curious neighbours."""

from __future__ import annotations

import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestration import synthetic
from orchestration.errors import InputError
from orchestration.settings import PROJECT
from tests.support.workshop import Workshop, access, text

INTAKE = """
import sys
from pathlib import Path
from tests.support.workshop import Workshop
shop = Workshop(Path(sys.argv[1]))
print("begin", flush=True)
for collection in [n for n, c in shop.contracts.items() if c.source != "hub"]:
    assert shop.take_in(collection).refusals == ()
"""


def start(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", INTAKE, str(folder)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begin\n"
    return process


def content(shop: Workshop) -> list[tuple[object, ...]]:
    """What a store holds, without the moments of receipt; every file in it is intact."""
    rows = shop.store.snapshots(2025)
    assert [fault for s in rows for fault in shop.store.faults(s)] == []
    return sorted((s.seq, s.collection, s.part, s.sha256, s.accepted, s.files["accepted-000.parquet"]) for s in rows)


def test_kill_9_at_any_moment_leaves_a_valid_store(tmp_path: Path) -> None:
    """Killed at random moments and started again until it gets through: the store of one undisturbed run."""
    calm = Workshop(tmp_path / "calm")
    synthetic.generate(calm.settings.landing, students=2_000, years=[2025], seed=1, contracts=calm.contracts)
    process = start(tmp_path / "calm")
    began = time.monotonic()
    assert process.wait() == 0
    whole = time.monotonic() - began
    moments = random.Random(3)
    kills = 0
    for trial in range(3):
        killed = Workshop(tmp_path / str(trial))
        shutil.copytree(calm.settings.landing, killed.settings.landing)
        while True:
            process = start(tmp_path / str(trial))
            time.sleep(moments.uniform(0, whole / 2))
            process.send_signal(signal.SIGKILL)
            if process.wait() == 0:
                break
            kills += 1
            content(killed)
        assert content(killed) == content(calm)
    assert kills >= 6


def test_a_second_writer_waits_and_then_gives_up_with_a_clear_line(tmp_path: Path) -> None:
    shop = Workshop(tmp_path)
    with shop.store.writing():
        clear = pytest.raises(InputError, match="another run is writing; wait for it to end")
        with clear, shop.store.writing(0.2):
            pass
    with shop.store.writing(0.2):
        pass


def test_home_and_files_are_private_to_the_owner(tmp_path: Path) -> None:
    os.umask(0o022)
    shop = Workshop(tmp_path)
    shop.begin()
    for path in (shop.settings.home, *shop.settings.home.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o077 == 0, (path, oct(mode))
    assert stat.S_IMODE(shop.settings.home.stat().st_mode) == 0o700


def test_damage_is_named(tmp_path: Path) -> None:
    shop = Workshop(tmp_path)
    shop.begin()
    shop.deliver("access.csv", text(access()))
    shop.take_in("access")
    snapshot = shop.in_force("access")
    assert shop.store.faults(snapshot) == []
    accepted = shop.store.folder(snapshot) / "accepted-000.parquet"
    accepted.chmod(0o600)
    accepted.write_bytes(accepted.read_bytes()[:-1] + b"x")
    assert "has other bytes than the manifest says" in shop.store.faults(snapshot)[0]
    accepted.unlink()
    assert "accepted-000.parquet: is missing" in shop.store.faults(snapshot)[0]
    shop.store.delivery(snapshot.sha256).unlink()
    assert "delivered bytes are missing or changed" in shop.store.faults(snapshot)[1]


def test_the_hash_of_an_identifier_needs_the_key_of_the_home(tmp_path: Path) -> None:
    first, second = Workshop(tmp_path / "a"), Workshop(tmp_path / "b")
    assert first.store.identifier_key() == first.store.identifier_key()
    assert first.store.identifier_key() != second.store.identifier_key()
    assert len(first.store.identifier_key()) == 32
