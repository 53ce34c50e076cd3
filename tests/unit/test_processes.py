"""Modules that are loaded beside a block."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from orchestration.processes import loading


def test_modules_are_loaded_beside_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a slow one nor one that is not there keeps the block waiting."""
    (tmp_path / "loaded_beside.py").write_text("import time\ntime.sleep(0.5)\nREADY = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    begun = time.monotonic()
    with loading(["there_is_no_such_module", "loaded_beside"]):
        pass
    assert time.monotonic() - begun < 0.5
    import loaded_beside  # type: ignore[import-not-found]  # waits until it is whole

    assert loaded_beside.READY
    monkeypatch.delitem(sys.modules, "loaded_beside")
