"""Kill the annual run at random moments and look whether the store is still valid. Run by hand; prints counts.

    python -m benchmarks.kills [--tries 30] [--students 2000] [--seed 1]

Each try changes a delivery, so that there is work to do, starts `accountability run`, kills it with all its children at
a random moment, and holds every release against its manifest. Every fifth try a run is let through to its end.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.measuring import generate
from orchestration.publication.checking import faults
from orchestration.releases import current, releases

YEAR = 2025
FIFTH = 5


def run(folder: Path) -> subprocess.Popen[bytes]:
    """Start a run in a session of its own."""
    program = Path(sys.executable).with_name("accountability")
    command = [program, "run", "--year", str(YEAR), "--raw", folder, "--home", folder / "home"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 - our own command


def finish(folder: Path) -> None:
    """A run that nobody kills."""
    if run(folder).wait():
        raise SystemExit(f"a run over {folder} failed by itself")


def touch(folder: Path, number: int) -> None:
    """Another delivery of dropouts: one row fewer, or the whole again with the rows turned."""
    landed = folder / "landing" / str(YEAR) / "dropouts.csv"
    header, *rows = landed.read_text().splitlines()
    landed.write_text("\n".join([header, *rows[number % len(rows) :], *rows[: number % len(rows)]]) + "\n")


def main() -> None:
    """Try, kill, look."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=30)
    parser.add_argument("--students", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chance, counts = random.Random(given.seed), Counter[str]()  # noqa: S311 - moments, not secrets
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder / "landing", given.students, f"{YEAR - 1}-{YEAR}")
        finish(folder)
        touch(folder, 1)
        began = time.monotonic()
        finish(folder)
        whole = time.monotonic() - began
        print(f"a whole run after one changed delivery: {whole:.1f} s", flush=True)
        for number in range(2, given.tries + 2):
            touch(folder, number)
            before = {r.name: r.sha256 for r in releases(folder / "home", YEAR)}
            process = run(folder)
            time.sleep(chance.uniform(0, whole))
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            now = {r.name: r.sha256 for r in releases(folder / "home", YEAR)}
            wrong = [fault for r in releases(folder / "home", YEAR) for fault in faults(r)]
            lost = [name for name, digest in before.items() if now.get(name) != digest]
            counts["releases damaged or lost"] += len(wrong) + len(lost)
            counts["current gone"] += current(folder / "home", YEAR) is None
            counts["killed"] += 1
            counts["killed after the release was made"] += len(now) > len(before)
            if number % FIFTH == 0:
                counts["runs after a kill"] += 1
                counts["of these succeeded"] += run(folder).wait() == 0
        counts["runs after a kill"] += 1
        counts["of these succeeded"] += run(folder).wait() == 0
    for what, count in counts.items():
        print(f"{what:<40}{count:>4}")


if __name__ == "__main__":
    main()
