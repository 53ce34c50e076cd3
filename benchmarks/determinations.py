"""The determinations of statewide years from their indicator tables: wall time and memory of whole processes.

    python -m benchmarks.determinations --home HOME [--years 2023 2024 2025] [--repeats 5]

HOME holds the indicator tables and official releases of the years; it is only read. Prints medians. Not a test.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import Run, timed

BUILD = """
import sys
from pathlib import Path
from orchestration.determinations.building import build
from orchestration.policy import load_register
from orchestration.settings import Settings
settings = Settings(home=Path(sys.argv[1]))
register = load_register(settings.policy)
for year in map(int, sys.argv[2:]):
    assert build(year, "student", settings=settings, register=register).is_new
"""


def built(home: Path, years: list[int]) -> Run:
    """One process that builds the years, in a home beside that has no determinations."""
    with tempfile.TemporaryDirectory() as name:
        beside = Path(name)
        (beside / "tables").mkdir()
        (beside / "tables" / "indicators").symlink_to((home / "tables" / "indicators").resolve())
        (beside / "published").symlink_to((home / "published").resolve())
        return timed(sys.executable, "-c", BUILD, str(beside), *map(str, years))


def main() -> None:
    """Each year by itself, then all of them in one process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--years", type=int, nargs="+", default=[2023, 2024, 2025])
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    for years in [*([year] for year in given.years), given.years]:
        runs = [built(given.home, years) for _ in range(given.repeats)]
        seconds, memory = (
            statistics.median(values) for values in ([r.seconds for r in runs], [r.memory for r in runs])
        )
        print(f"{' '.join(map(str, years)):<20}{seconds:>7.1f} s{memory:>7.2f} GB  median of {len(runs)}", flush=True)


if __name__ == "__main__":
    main()
