"""`accountability verify` as a user meets it: what it prints last and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestration.settings import PROJECT
from tests.e2e.test_cli import accountability

ORACLE = PROJECT.parent / "shared" / "oracle"
REPORTS, CASES = ORACLE / "published-reports.json", ORACLE / "indicator-points.json"


@pytest.fixture(scope="module", autouse=True)
def _published() -> None:
    for path in (REPORTS, CASES):
        if not path.is_file():
            pytest.fail(f"{path} is missing: without it nothing is held against what was published")


def test_published_pages_are_reproduced() -> None:
    done = accountability("verify", REPORTS, CASES)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "450 of 450 figures reproduced"
    assert done.stdout.splitlines()[-2] == "389 recomputed, 61 possible, 56 not decided and not counted"
    assert "ind-2023-07050505-math-all: points" in done.stdout


def test_published_categories_are_reproduced() -> None:
    hub = sorted((ORACLE.parent / "data" / "e2c").glob("ppbc-i8t9_*.csv"))
    assert len(hub) == 2, f"the hub's classifications are missing below {ORACLE.parent}"
    done = accountability("verify", ORACLE / "classification-cases.json", *hub)
    assert (done.returncode, done.stderr) == (0, "")
    *_, counts, last = done.stdout.splitlines()
    assert last == "1333 of 1333 figures reproduced"
    assert counts == "680 recomputed, 653 possible, 89 not decided and not counted"


def test_a_wrong_figure_ends_with_status_1_and_its_name(tmp_path: Path) -> None:
    content = json.loads(REPORTS.read_text())
    content["reports"][4]["printed"]["annual"] = 59
    altered = tmp_path / "reports.json"
    altered.write_text(json.dumps(content))
    done = accountability("verify", altered)
    assert done.returncode == 1
    first, *_, last = done.stdout.splitlines()
    assert first == "differs: 2023-00350000: annual: printed 59, computed 51"
    assert last == "391 of 392 figures reproduced"


def test_wrong_usage_and_unreadable_files_have_their_exit_status(tmp_path: Path) -> None:
    done = accountability("verify")
    assert done.returncode == 2
    assert "Missing argument" in done.stderr
    for path in (tmp_path / "none.json", ORACLE / "state-anchors.json"):
        done = accountability("verify", path)
        assert done.returncode == 1
        assert done.stderr.startswith(f"error: {path}: ")
        assert len(done.stderr.splitlines()) == 1
