"""Documents that are made from the project's own files are up to date; no file names a registry's host."""

from __future__ import annotations

import subprocess

from orchestration.intake.documenting import render
from orchestration.policy import load_register
from orchestration.settings import PROJECT
from tests.support.workshop import CONTRACTS


def test_the_page_of_collections_is_what_the_contracts_say() -> None:
    register = load_register(PROJECT / "dbt_project" / "seeds" / "policy")
    page = (PROJECT / "docs" / "collections.md").read_text(encoding="utf-8")
    assert page == render(CONTRACTS.values(), register), "run `make docs`"


def test_the_lock_file_is_hashed_and_names_no_host() -> None:
    lock = (PROJECT / "requirements.lock").read_text()
    assert "http://" not in lock
    assert "https://" not in lock
    assert "file:" not in lock
    requirements = [line for line in lock.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(requirements) > 50
    assert lock.count("--hash=sha256:") >= len(requirements)
    assert all("==" in line for line in requirements)


def test_no_raw_data_is_in_the_repository() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    landed = [name for name in tracked.splitlines() if name.startswith("raw/landing/")]
    assert landed == ["raw/landing/.gitkeep"]
    assert not [name for name in tracked.splitlines() if name.endswith((".parquet", ".xlsx", ".duckdb"))]
