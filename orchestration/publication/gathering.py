"""What goes into a release: the tables of every room, and everything that they were made from.

Belongs here: finding tables and holding them against each other. Does not: writing a release.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestration.errors import InputError
from orchestration.tables import folder_of, record_of

ROOMS = ("indicators", "determinations", "assistance")
"""In the order of the data."""
ALWAYS = ROOMS[0]
"""The room without which there is nothing to publish; a year without determinations has indicator tables only."""


@dataclass(frozen=True)
class Gathered:
    """Tables by name with their folder and room, and what stands behind them.

    `inputs`: one entry a delivery read, of this and earlier years. `tables_read`: fingerprint of each earlier table
    folder (`indicators 2024`). `earlier_releases`: year to name and sha256 of the releases that were read.
    """

    year: int
    source: str
    tables: dict[str, Path]
    rooms: dict[str, str]
    rows: dict[str, int]
    fingerprints: dict[str, str]
    inputs: list[dict[str, Any]] = field(default_factory=list)
    tables_read: dict[str, str] = field(default_factory=dict)
    earlier_releases: dict[str, str] = field(default_factory=dict)

    @property
    def files(self) -> Iterator[Path]:
        """Parquet and CSV of each table in the order of the data, then workbooks made from them."""
        for name, folder in self.tables.items():
            yield from (path for ending in (".parquet", ".csv") if (path := folder / f"{name}{ending}").is_file())
        for folder in dict.fromkeys(self.tables.values()):
            yield from sorted(folder.glob("*.xlsx"))


def gather(home: Path, year: int, source: str) -> Gathered:
    """Tables of the year's rooms. Raises InputError where one was made from tables that are no longer there."""
    tables: dict[str, Path] = {}
    rooms: dict[str, str] = {}
    rows: dict[str, int] = {}
    fingerprints: dict[str, str] = {}
    read: dict[str, str] = {}
    earlier: dict[str, str] = {}
    for room in ROOMS:
        folder = folder_of(home, room, source, year)
        record = record_of(folder)
        if record is None:
            if room == ALWAYS:
                raise InputError(f"{folder}: there are no tables of {year}; run that year first")
            continue
        fingerprints[room] = record["fingerprint"]
        for table, count in record["rows"].items():
            if not (folder / f"{table}.parquet").is_file():
                raise InputError(f"{folder / table}.parquet: is missing; run {year} again")
            tables[table], rooms[table], rows[table] = folder.resolve(), room, count
        if room != ALWAYS:
            for name, fingerprint in record["inputs"].items():
                (earlier if name.startswith("release ") else read)[name] = fingerprint
    for name, fingerprint in read.items():
        room, _, of_year = name.partition(" ")
        standing = record_of(folder_of(home, room, source, int(of_year)))
        if standing is None or standing["fingerprint"] != fingerprint:
            raise InputError(
                f"{folder_of(home, room, source, int(of_year))}: changed since the tables of {year} were made from it; "
                f"run {year} again"
            )
    return Gathered(
        year, source, tables, rooms, rows, fingerprints, _deliveries(home, year, source, read), read, earlier
    )


def _deliveries(home: Path, year: int, source: str, read: dict[str, str]) -> list[dict[str, Any]]:
    """Every delivery behind the indicator tables of this year and of the earlier years that were read, once each."""
    years = {year, *(int(name.split()[1]) for name in read if name.startswith(f"{ALWAYS} "))}
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for y in sorted(years):
        for entry in (record_of(folder_of(home, ALWAYS, source, y)) or {"inputs": []})["inputs"]:
            key = tuple(str(entry[name]) for name in ("year", "collection", "part"))
            if found.setdefault(key, entry) != entry:
                raise InputError(
                    f"{folder_of(home, ALWAYS, source, y)}: made from another delivery of {' '.join(key)} than the "
                    f"other tables behind {year}; run the earlier years again"
                )
    return [found[key] for key in sorted(found)]
