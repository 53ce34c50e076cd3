"""The whole annual run of a statewide year, from landed files to the published release, and refreshes after one.

    python -m benchmarks.annual [--students 950000] [--repeats 3] [--folder FOLDER]

Three years of history are run first and not timed. Each repeat begins with a copy of that home, so that it does all of
the last year's work and no more. FOLDER is kept and used again, which saves making the history. Prints medians by room
and the floor: a bare DuckDB script that reads the same files and computes the same indicator tables. Not a test.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.measuring import Run, generate, timed

YEAR, HISTORY = 2025, 3
CORRECTED = ("access", "mcas", "sims_end_of_year")
"""Deliveries that are corrected, each in a run of its own: the smallest that this year's figures rest on, the largest
that is delivered once a year and most figures rest on, and one that nearly everything rests on: with its last rows go
students of whom other deliveries speak."""
FEWER = 70
"""Rows that a corrected delivery is short of."""
PROGRAM = str(Path(sys.executable).with_name("accountability"))
ROOMS = {
    "raw__": "intake", "_indicators": "indicators", "_determinations": "determinations", "_assistance": "assistance",
    "__release": "publication",
}  # fmt: skip
"""Part of a step's name to its room; gates are told apart before."""


def accountability(folder: Path, home: Path, year: int) -> Run:
    """One annual run in a process of its own."""
    return timed(PROGRAM, "run", "--year", str(year), "--raw", str(folder), "--home", str(home))


def prepared(folder: Path, students: int) -> Path:
    """A home with the history, run; made unless it is there already."""
    home = folder / "history"
    if not (home / "published" / str(YEAR - 1)).exists():
        generate(folder / "landing", students, f"{YEAR - HISTORY}-{YEAR}")
        print(f"history of {HISTORY} years …", flush=True)
        accountability(folder, home, YEAR - 1)
    return home


def copied(home: Path, to: Path) -> Path:
    """A copy of a home: files that are never changed in place as links, the rest as bytes."""
    subprocess.run(["cp", "-al", str(home), str(to)], check=True)  # noqa: S603, S607 - a plain copy
    shutil.rmtree(to / "dagster")
    shutil.copytree(home / "dagster", to / "dagster")
    return to


def rooms(home: Path) -> dict[str, float]:
    """Seconds of each room in the last run."""
    record: dict[str, Any] = json.loads(max((home / "runs").glob(f"*-{YEAR}.json")).read_bytes())
    found: dict[str, float] = defaultdict(float)
    for step in record["steps"]:
        name = "gates" if "gate_after" in step["step"] else next(r for part, r in ROOMS.items() if part in step["step"])
        found[name] += step["seconds"]
    return found


def after_correction(folder: Path, home: Path, name: str) -> Run:
    """The run after a corrected delivery: its last rows are gone, enough of them that figures of the year change."""
    delivery = folder / "landing" / str(YEAR) / f"{name}.csv"
    delivery.write_bytes(b"".join(delivery.read_bytes().splitlines(keepends=True)[:-FEWER]))
    return accountability(folder, home, YEAR)


def told(name: str, runs: list[Run], goal: str) -> None:
    """Medians of some runs."""
    seconds, memory = (statistics.median(values) for values in ([r.seconds for r in runs], [r.memory for r in runs]))
    print(f"{name:<46}{seconds:>7.1f} s{memory:>7.2f} GB  median of {len(runs)}; goal {goal}", flush=True)


def measured(folder: Path, students: int, repeats: int) -> None:
    """Run, refresh, help: each some times."""
    history = prepared(folder, students)
    whole, split = [], []
    refreshed: dict[str, list[Run]] = {name: [] for name in CORRECTED}
    corrected = [folder / "landing" / str(YEAR) / f"{name}.csv" for name in CORRECTED]
    landed = {path: path.read_bytes() for path in corrected}
    for _ in range(repeats):
        home = copied(history, folder / "timed")
        try:
            whole.append(accountability(folder, home, YEAR))
            split.append(rooms(home))
            for name, runs in refreshed.items():
                runs.append(after_correction(folder, home, name))
        finally:
            shutil.rmtree(home)
            for path, delivered in landed.items():  # not before: a delivery that is put back is one more
                path.write_bytes(delivered)
    told("annual run, landed files to release", whole, "60 s, 4 GB")
    for name in split[0]:
        print(f"    {name:<42}{statistics.median(of[name] for of in split):>7.1f} s")
    for name, runs in refreshed.items():
        told(f"refresh after a corrected file of {name}", runs, "25 s")
    told("--help", [timed(PROGRAM, "--help") for _ in range(7)], "0.5 s")
    floor = [sys.executable, "-m", "benchmarks.floor", "--raw", str(folder / "landing"), "--year", str(YEAR)]
    told("floor", [timed(*floor, "--out", str(folder / "floor")) for _ in range(repeats)], "-")


def main() -> None:
    """Measure in FOLDER, or in one that is thrown away."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=950_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.folder:
        given.folder.mkdir(parents=True, exist_ok=True)
        measured(given.folder, given.students, given.repeats)
        return
    with tempfile.TemporaryDirectory() as name:
        measured(Path(name), given.students, given.repeats)


if __name__ == "__main__":
    main()
