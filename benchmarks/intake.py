"""Intake of one statewide year against the floor: DuckDB reading the same files with nothing checked or kept.

    python -m benchmarks.intake [students] [repeats]

Prints the median of `repeats` runs of each, each run in a process of its own, the ratio, and the peak memory. Not a
test: it asserts nothing about time.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

YEAR = 2025
FLOOR = """
import duckdb, sys
from pathlib import Path
con = duckdb.connect()
for path in sorted(Path(sys.argv[1]).glob("*.csv")):
    con.execute(f"CREATE TABLE t AS SELECT * FROM read_csv('{path}', all_varchar = true)")
    con.execute("DROP TABLE t")
"""
INTAKE = """
import sys
from pathlib import Path
from orchestration.intake.contracts import load_contracts
from orchestration.intake.taking_in import CollectionIntake
from orchestration.policy import load_register
from orchestration.settings import Settings
settings = Settings(landing=Path(sys.argv[1]).parent, home=Path(sys.argv[2]))
contracts, register = load_contracts(settings.contracts), load_register(settings.policy)
for name in (n for n, c in contracts.items() if c.source != "hub"):
    intake = CollectionIntake(name, int(sys.argv[3]), contracts=contracts, register=register, settings=settings).run()
    assert not intake.refusals, intake.refusals
"""


def timed(*command: str) -> tuple[float, float]:
    """Wall seconds and peak memory (GB) of one process."""
    began = time.monotonic()
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603 - our own commands
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[0]} failed with status {status}")
    return time.monotonic() - began, usage.ru_maxrss / 1e6


def main() -> None:
    """Generate, then time both sides in turn."""
    students = int(sys.argv[1]) if len(sys.argv) > 1 else 950_000
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as folder:
        landing = Path(folder) / "landing"
        generated, memory = timed(
            str(Path(sys.executable).parent / "accountability"), "generate",
            "--students", str(students), "--years", str(YEAR), "--out", str(landing),
        )  # fmt: skip
        size = sum(p.stat().st_size for p in (landing / str(YEAR)).iterdir()) / 1e6
        print(f"generate {students:,} students, one year: {generated:.1f} s, peak {memory:.2f} GB, {size:,.0f} MB")
        floors, intakes, peak = [], [], 0.0
        for run in range(repeats):
            floors.append(timed(sys.executable, "-c", FLOOR, str(landing / str(YEAR)))[0])
            home = str(Path(folder) / f"home{run}")
            seconds, memory = timed(sys.executable, "-c", INTAKE, str(landing / str(YEAR)), home, str(YEAR))
            intakes.append(seconds)
            peak = max(peak, memory)
        floor, intake = statistics.median(floors), statistics.median(intakes)
        print(f"floor  (read into DuckDB): median {floor:.2f} s of {repeats}")
        print(f"intake (copy, hash, check, keep, Parquet): median {intake:.2f} s of {repeats}, peak {peak:.2f} GB")
        print(f"ratio  {intake / floor:.2f}")


if __name__ == "__main__":
    main()
