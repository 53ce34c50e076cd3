"""The indicator tables of one year: the project's build against the floor and against pandas.

    python -m benchmarks.indicators [--students 950000] [--home HOME] [--fifth HOME] [--pandas PYTHON]

Every run is a process of its own, the ways take turns, and every build starts without tables, so that none is skipped.
First each way's tables are compared cell by cell. Prints medians and ratios beside the goals. Not a test: it asserts
nothing about time. States are made in a temporary folder unless homes with the year and the year before are given;
those are only read.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import Run, generate, take_in, timed

FIXED = 2_000
"""Students of the state whose build is all fixed cost."""

BUILD = """
import sys
from pathlib import Path
from orchestration.indicators.building import build
from orchestration.intake.contracts import load_contracts
from orchestration.policy import load_register
from orchestration.settings import Settings
settings = Settings(home=Path(sys.argv[1]))
contracts, register = load_contracts(settings.contracts), load_register(settings.policy)
assert build(int(sys.argv[2]), "official", settings=settings, contracts=contracts, register=register).is_new
"""


def prepared(folder: Path, students: int, year: int) -> Path:
    """A home with a fictional state of this year and the year before."""
    home, landing = folder / "home", folder / "landing"
    generate(landing, students, f"{year - 1}-{year}")
    for y in (year - 1, year):
        take_in(landing, home, y)
    print(f"made {students:,} students", flush=True)
    return home


def built(home: Path, year: int, folder: Path) -> tuple[Run, Path]:
    """One build of what lies in `home`, in a home beside it that has no tables yet. Returns where the tables are."""
    beside = Path(tempfile.mkdtemp(prefix="built-", dir=folder))
    for part in ("manifest", "snapshots"):
        (beside / part).symlink_to((home / part).resolve())
    run = timed(sys.executable, "-c", BUILD, str(beside), str(year))
    return run, beside / "tables" / "indicators" / "student" / str(year)


def script(name: str, python: str, home: Path, year: int, folder: Path, check: Path | None = None) -> Run:
    """One run of `benchmarks.floor` or `benchmarks.pandas_tables`."""
    command = [
        python,
        "-m",
        f"benchmarks.{name}",
        "--home",
        str(home),
        "--year",
        str(year),
        "--out",
        str(folder / name),
    ]
    return timed(*command, *(("--check", str(check)) if check else ()))


def line(name: str, runs: list[Run]) -> str:
    """Median, least and most of wall time, median of processor time, greatest memory."""
    seconds, processor = [run.seconds for run in runs], statistics.median(run.processor for run in runs)
    return (
        f"{name:<26}{statistics.median(seconds):>8.1f}{min(seconds):>8.1f}{max(seconds):>8.1f}"
        f"{processor:>11.1f}{max(run.memory for run in runs):>9.2f}{len(runs):>6}"
    )


def has_pandas(python: str) -> bool:
    """Whether the interpreter that is to run it has pandas."""
    if python == sys.executable:
        return importlib.util.find_spec("pandas") is not None
    timed(python, "-c", "import pandas, pyarrow, duckdb")
    return True


def main() -> None:
    """Prepare, compare, then time all sides in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=950_000)
    parser.add_argument("--year", type=int, default=2025)
    parser.add_argument("--home", type=Path, help="a home with that many students")
    parser.add_argument("--fifth", type=Path, metavar="HOME", help="a home with a fifth of them")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--pandas", default=sys.executable, metavar="PYTHON", help="an interpreter that has pandas")
    parser.add_argument("--pandas-repeats", type=int, default=2)
    given = parser.parse_args()
    year, fifth = given.year, given.students // 5
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        homes = {
            given.students: given.home or prepared(folder / "whole", given.students, year),
            fifth: given.fifth or prepared(folder / "fifth", fifth, year),
            FIXED: prepared(folder / "fixed", FIXED, year),
        }
        whole = homes[given.students]
        ways = [("floor", sys.executable)]
        if has_pandas(given.pandas):
            ways.append(("pandas_tables", given.pandas))
        else:
            print("pandas: not installed here, left out; name an interpreter that has it with --pandas")
        _, tables = built(whole, year, folder)
        for way, python in ways:
            script(way, python, whole, year, folder, check=tables)
            print(f"{way}: every cell equal to the build's", flush=True)

        builds: dict[int, list[Run]] = {size: [] for size in homes}
        floors: dict[int, list[Run]] = {size: [] for size in homes}
        pandas: list[Run] = []
        for number in range(given.repeats):
            for size, home in homes.items():
                floors[size].append(script("floor", sys.executable, home, year, folder))
                builds[size].append(built(home, year, folder)[0])
            if len(ways) > 1 and number < given.pandas_repeats:
                pandas.append(script("pandas_tables", given.pandas, whole, year, folder))

    print(f"{'seconds':<26}{'median':>8}{'least':>8}{'most':>8}{'processor':>11}{'peak GB':>9}{'runs':>6}")
    for size in homes:
        print(line(f"build   {size:>10,}", builds[size]))
        print(line(f"floor   {size:>10,}", floors[size]))
    if pandas:
        print(line(f"pandas  {given.students:>10,}", pandas))
    build, part, fixed = (statistics.median(run.seconds for run in builds[size]) for size in homes)
    floor = statistics.median(run.seconds for run in floors[given.students])
    print(f"build / floor              {build / floor:.2f}")
    print(f"3 x floor + 20 s           {3 * floor + 20:.1f} s; the build takes {build:.1f} s")
    print(f"fixed cost of a build      {fixed:.1f} s; (build - fixed) / floor {(build - fixed) / floor:.2f}")
    print(f"5 times the students       {(build - fixed) / (part - fixed):.2f} times what is not fixed (goal 5.5)")
    print(f"peak memory of a build     {max(run.memory for run in builds[given.students]):.2f} GB (goal 3)")
    if pandas:
        seconds = statistics.median(run.seconds for run in pandas)
        print(f"pandas / build, / floor    {seconds / build:.2f}, {seconds / floor:.2f}")


if __name__ == "__main__":
    main()
