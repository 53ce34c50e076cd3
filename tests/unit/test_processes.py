"""What a process loads beside a block, and what it does without."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestration.processes import loading

WITHOUT = """
import sys
import pyarrow as pa
from orchestration.processes import do_without
do_without("pandas")
pa.array(["one", "two"])
print("pandas" in sys.modules)
try:
    import pandas
except ImportError as error:
    print(error.name)
import openpyxl
print("openpyxl" in sys.modules)
"""


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


def test_a_library_that_a_process_does_without_is_never_loaded() -> None:
    """pyarrow would load pandas for its first array. Nothing else is kept away."""
    said = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["False", "pandas", "True"]
