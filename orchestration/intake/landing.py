"""The landing folder: which files have arrived, and which collection, part and stage each of them is.

Belongs here: names, folders, links. Does not: contents beyond a header, copying (``store.py``).
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestration.errors import InputError
from orchestration.intake.contracts import Contract, fold
from orchestration.texts import printable

ENDINGS = (".csv", ".csv.gz", ".xlsx", ".parquet")
STAGES = ("preliminary", "official")
_YEAR = re.compile(r"^[12][0-9]{3}$")
PEEK = 1 << 28
"""Bytes; a workbook that expands past this is not opened for its header alone: its name has to tell what it is."""
_NOT_DELIVERIES = re.compile(r"^[._]|^readme|\.(part|tmp)$", re.IGNORECASE)


@dataclass(frozen=True)
class Arrival:
    """A recognised file. `name` is its path below the landing folder; `part` is '' for a collection in one piece, or
    while only the file's own column can tell it."""

    path: Path
    name: str
    year: int
    collection: str
    part: str
    stage: str


@dataclass(frozen=True)
class Scan:
    """What has landed for one year: arrivals in order of their names, and one line for each file that is none."""

    arrivals: tuple[Arrival, ...]
    problems: tuple[str, ...]


def landed_years(landing: Path) -> list[int]:
    """School years that have a folder with at least one file."""
    if not landing.is_dir():
        return []
    return sorted(int(p.name) for p in landing.iterdir() if _YEAR.match(p.name) and p.is_dir() and any(_files(p)))


def landed_files(landing: Path, year: int) -> list[Path]:
    """Regular files of one year that are meant as deliveries, in a fixed order; no link."""
    folder = landing / str(year)
    return [path for path in _files(folder) if not path.is_symlink() and path.is_file()] if folder.is_dir() else []


def scan(landing: Path, year: int, contracts: Mapping[str, Contract]) -> Scan:
    """Recognise every file of one year. A missing folder is an empty year."""
    folder = landing / str(year)
    arrivals: list[Arrival] = []
    problems: list[str] = []
    for path in _files(folder) if folder.is_dir() else ():
        name = path.relative_to(landing).as_posix()
        try:
            arrivals.append(_recognise(path, name, year, landing, contracts))
        except InputError as error:
            problems.append(str(error))
        except OSError as error:
            problems.append(
                f"{printable(name)}: cannot be read ({error.strerror}); check its permissions and deliver it again"
            )
    return Scan(tuple(arrivals), tuple(problems))


def _files(folder: Path) -> list[Path]:
    """Everything below `folder` that is meant as a delivery, in a fixed order; links are listed, never followed."""
    found = []
    for root, folders, names in os.walk(folder):
        here = Path(root)
        linked = [name for name in folders if (here / name).is_symlink()]
        folders[:] = sorted(f for f in folders if f not in linked and not _NOT_DELIVERIES.search(f))
        found += [here / name for name in (*names, *linked) if not _NOT_DELIVERIES.search(name)]
    return sorted(found)


def _recognise(path: Path, name: str, year: int, landing: Path, contracts: Mapping[str, Contract]) -> Arrival:
    if not name.isprintable():
        raise InputError(f"{name}: the name holds a character that cannot be shown; rename the file")
    if path.is_symlink():
        raise InputError(f"{name}: is a link; deliver the file itself")
    if not stat.S_ISREG(path.stat().st_mode):
        raise InputError(f"{name}: is not a regular file; deliver a {', '.join(ENDINGS)} file")
    if not os.path.realpath(path).startswith(os.path.realpath(landing) + os.sep):
        raise InputError(f"{name}: lies outside the landing folder; deliver the file itself")
    if not name.lower().endswith(ENDINGS):
        raise InputError(f"{name}: unknown format; deliver {', '.join(ENDINGS)}")
    words = _words(Path(name).relative_to(str(year)).as_posix())
    contract = _by_name(words, name, contracts) or _by_header(path, name, year, contracts)
    part = next((p for p in contract.part_names if p and f"_{p}_" in words), "")
    stage = next((s for s in STAGES if f"_{s}_" in words), "official")
    return Arrival(path, name, year, contract.collection, part, stage)


def _words(text: str) -> str:
    return "_" + re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") + "_"


def _by_name(words: str, name: str, contracts: Mapping[str, Contract]) -> Contract | None:
    """The contract whose name, alias or data set id stands in the file name; the longest one counts."""
    hits = [
        (len(key), contract.collection)
        for contract in contracts.values()
        for key in (
            contract.collection,
            *contract.aliases,
            *((contract.dataset,) if contract.dataset else ()),
        )
        if _words(key) in words
    ]
    longest = {collection for size, collection in hits if size == max(hits)[0]}
    if len(longest) > 1:
        raise InputError(f"{name}: the name fits {' and '.join(sorted(longest))}; rename the file")
    return contracts[longest.pop()] if longest else None


def _by_header(path: Path, name: str, year: int, contracts: Mapping[str, Contract]) -> Contract:
    """The only contract that has all columns of the file among its own and whose required columns are all there."""
    from orchestration.intake.validating import required_columns

    header = {fold(column) for column in peek_header(path)}
    fits = []
    for contract in contracts.values():
        known = contract.header_map(year)
        present = {known[column] for column in header if column in known}
        alien = [column for column in header if column not in known and not contract.ignores(column)]
        if not alien and set(required_columns(contract)) <= present:
            fits.append(contract)
    if len(fits) == 1:
        return fits[0]
    found = f"its header fits {' and '.join(c.collection for c in fits)}" if fits else "its header fits no collection"
    raise InputError(f"{name}: the name has no collection in it and {found}; name the file after its collection")


def peek_header(path: Path) -> list[str]:
    """First row of a file in landing, for recognition only. A file that cannot be read has no header here."""
    import csv
    import gzip

    lower = path.name.lower()
    try:
        if lower.endswith(".parquet"):
            import pyarrow.parquet as pq

            return list(pq.read_schema(path).names)
        if lower.endswith(".xlsx"):
            from orchestration.intake.workbooks import read_sheet

            return next(read_sheet(path, path.name, None, 1, PEEK), (1, []))[1]
        with gzip.open(path, "rb") if lower.endswith(".gz") else path.open("rb") as file:
            line = file.readline(1 << 20).decode("utf-8-sig")
        return next(csv.reader([line]), [])
    except PermissionError:
        raise
    except (OSError, EOFError, ValueError, InputError, csv.Error):
        return []
