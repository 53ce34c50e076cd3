"""Documents that are made from the project's own files are up to date; no file names a registry's host."""

from __future__ import annotations

import subprocess

from orchestration import policy_documenting
from orchestration.intake.documenting import render
from orchestration.policy import citations, load_register, rule_texts
from orchestration.settings import PROJECT
from tests.support.workshop import CONTRACTS


def test_the_page_of_collections_is_what_the_contracts_say() -> None:
    register = load_register(PROJECT / "dbt_project" / "seeds" / "policy")
    page = (PROJECT / "docs" / "collections.md").read_text(encoding="utf-8")
    assert page == render(CONTRACTS.values(), register), "run `make docs`"


def test_the_page_of_the_policy_is_what_its_rows_say() -> None:
    folder = PROJECT / "dbt_project" / "seeds" / "policy"
    register, texts = load_register(folder), rule_texts(folder)
    page = (PROJECT / "docs" / "policy.md").read_text(encoding="utf-8")
    assert page == policy_documenting.render(register, texts, citations(folder)), "run `make docs`"
    assert {row.rule_id for row in register.rows} == set(texts), "a sentence of rules.csv describes no row"
    band = next(line for line in page.splitlines() if line.startswith("| `moderate_progress` | whole percent |"))
    assert band.startswith("| `moderate_progress` | whole percent | – | 25-49 | 25-49 | 25-49 | 25-49 | 25-49\\* | ")


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
