"""Intake of one statewide year against the floor: DuckDB reading the same files with nothing checked or kept.

    python -m benchmarks.intake [students] [repeats]

Prints the median of `repeats` runs of each, each run in a process of its own, the ratio, and the peak memory. Not a
test: it asserts nothing about time.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import generate, take_in, timed

YEAR = 2025
FLOOR = """
import duckdb, sys
from pathlib import Path
con = duckdb.connect()
for path in sorted(Path(sys.argv[1]).glob("*.csv")):
    con.execute(f"CREATE TABLE t AS SELECT * FROM read_csv('{path}', all_varchar = true)")
    con.execute("DROP TABLE t")
"""


def main() -> None:
    """Generate, then time both sides in turn."""
    students = int(sys.argv[1]) if len(sys.argv) > 1 else 950_000
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as folder:
        landing = Path(folder) / "landing"
        made = generate(landing, students, str(YEAR))
        size = sum(p.stat().st_size for p in (landing / str(YEAR)).iterdir()) / 1e6
        print(
            f"generate {students:,} students, one year: {made.seconds:.1f} s, peak {made.memory:.2f} GB, {size:,.0f} MB"
        )
        floors, intakes, peak = [], [], 0.0
        for number in range(repeats):
            floors.append(timed(sys.executable, "-c", FLOOR, str(landing / str(YEAR))).seconds)
            run = take_in(landing, Path(folder) / f"home{number}", YEAR)
            intakes.append(run.seconds)
            peak = max(peak, run.memory)
        floor, intake = statistics.median(floors), statistics.median(intakes)
        print(f"floor  (read into DuckDB): median {floor:.2f} s of {repeats}")
        print(f"intake (copy, hash, check, keep, Parquet): median {intake:.2f} s of {repeats}, peak {peak:.2f} GB")
        print(f"ratio  {intake / floor:.2f}")


if __name__ == "__main__":
    main()
