"""Releases: where they lie, which there are, and which one is in force.

Belongs here: names, folders, manifests as written. Does not: making a release (the room publication does).

    published/<year>/<source>-<stage>-<number>/     the tables, policy rows and code list, and manifest.json
    published/<year>/current                        link to the release in force; moves in one step, last
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration.errors import InputError
from orchestration.files import sha256_of

MANIFEST = "manifest.json"
CURRENT = "current"
_NAME = re.compile(r"(student|hub)-(official|preliminary)-(\d{3,})")
_RANK = {"official": 1, "preliminary": 0, "student": 1, "hub": 0}
"""An official release goes before a preliminary one; one from student records before one from public aggregates."""


@dataclass(frozen=True)
class Release:
    """A complete release. `name` is `<source>-<stage>-<number>`; numbers count up within year, source and stage."""

    folder: Path
    year: int
    source: str
    stage: str
    number: int

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def manifest(self) -> dict[str, Any]:
        """What the release was made from and consists of."""
        content: dict[str, Any] = json.loads((self.folder / MANIFEST).read_bytes())
        return content

    @property
    def sha256(self) -> str:
        """Digest of the manifest, and so of everything in the release."""
        return sha256_of(self.folder / MANIFEST)

    @property
    def identity(self) -> str:
        """Name and digest of the content: what a later year notes when it reads this release."""
        return f"{self.name} {self.manifest['content_sha256']}"

    @property
    def is_current(self) -> bool:
        """Whether this is the year's release in force."""
        return (self.folder.parent / CURRENT).resolve() == self.folder.resolve()


def published(home: Path, year: int) -> Path:
    """Folder of a year's releases."""
    return home / "published" / str(year)


def releases(home: Path, year: int | None = None) -> list[Release]:
    """Complete releases of a year (or of all), in the order of years, sources, stages and numbers."""
    folders = [published(home, year)] if year else [p for p in (home / "published").glob("[0-9]*") if p.name.isdigit()]
    found = []
    for of_year in folders:
        for folder in of_year.glob("*-*-*"):
            if (named := _NAME.fullmatch(folder.name)) and (folder / MANIFEST).is_file():
                found.append(Release(folder, int(of_year.name), named[1], named[2], int(named[3])))
    return sorted(found, key=lambda r: (r.year, r.source, r.stage, r.number))


def newest(home: Path, year: int, source: str, stage: str) -> Release | None:
    """The newest release of a year, source and stage."""
    found = [r for r in releases(home, year) if (r.source, r.stage) == (source, stage)]
    return found[-1] if found else None


def in_force(home: Path, year: int) -> Release | None:
    """The release that `current` has to name: official before preliminary, student before hub, then the newest."""
    return max(releases(home, year), key=lambda r: (_RANK[r.stage], _RANK[r.source], r.number), default=None)


def current(home: Path, year: int) -> Release | None:
    """The release that `current` names."""
    return next((release for release in releases(home, year) if release.is_current), None)


def find(home: Path, text: str, year: int | None = None) -> Release:
    """A release by `2025/student-official-001`, by its name within `year`, or by `2025/current`.

    Raises InputError that lists what there is, and for a release of another year than the one asked.
    """
    of_year, _, name = text.rpartition("/")
    if of_year and not of_year.isdigit():
        raise InputError(f"release '{text}': write it as YEAR/NAME, such as 2025/student-official-001")
    if of_year and year and int(of_year) != year:
        raise InputError(f"release '{text}': is of another year than --year {year}")
    year = int(of_year) if of_year else year
    there = releases(home, year)
    for release in there:
        if release.name == name or (name == CURRENT and release.is_current and year):
            return release
    known = ", ".join(f"{r.year}/{r.name}" for r in there) or "none yet"
    raise InputError(f"release '{text}': not in {home / 'published'}; there are: {known}")
