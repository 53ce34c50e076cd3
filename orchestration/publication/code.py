"""The code behind a release: each file that decides something, with its digest.

Belongs here: which files count, writing and comparing the list. Does not: what they do.
"""

from __future__ import annotations

import csv
from pathlib import Path

from orchestration.files import sha256_of
from orchestration.settings import PROJECT

LIST = "code.csv"
PATTERNS = (
    "orchestration/**/*.py",
    "dbt_project/**/*.sql",
    "dbt_project/**/*.yml",
    "dbt_project/seeds/*.csv",
    "raw/contracts/*.yml",
    "expectations/**/*.yml",
    "expectations/**/*.sql",
)


def write_code(folder: Path) -> Path:
    """Write the list into the folder of a release."""
    path = folder / LIST
    lines = [f"{file},{digest}\n" for file, digest in _now().items()]
    path.write_text("".join(["file,sha256\n", *lines]), encoding="utf-8")
    return path


def read_code(folder: Path) -> dict[str, str]:
    """File to digest, as a release has it."""
    with (folder / LIST).open(newline="", encoding="utf-8") as file:
        return {row["file"]: row["sha256"] for row in csv.DictReader(file)}


def changed_since(folder: Path) -> tuple[str, ...]:
    """Files that are new, gone or other than in the release of that folder."""
    before, now = read_code(folder), _now()
    return tuple(sorted(file for file in {*before, *now} if before.get(file) != now.get(file)))


def _now() -> dict[str, str]:
    """The files of this checkout."""
    files = sorted({file.relative_to(PROJECT) for pattern in PATTERNS for file in PROJECT.glob(pattern)})
    return {file.as_posix(): sha256_of(PROJECT / file) for file in files if "target" not in file.parts}  # dbt's own
