"""Is what the home holds whole: the store's manifest, the releases, `current`; and what did killed runs leave?

Belongs here: reading, and with `is_deep` every byte. Does not: repair; each line says where to take it from.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from orchestration.doctor.findings import Finding, Site, failed, ok, warning
from orchestration.doctor.home import below, size
from orchestration.errors import InputError
from orchestration.intake.store import Snapshot, Store
from orchestration.publication.checking import faults
from orchestration.releases import CURRENT, MANIFEST, current, in_force, published, releases

RUN_LOCK = ".run.lock"
"""Held by a run from its first step to its last (`automation/keeping.py`)."""
LEFT = ("work/*", "build/*", "tables/*/*/.made-*", "validation/*/*/.made-*", "published/*/.made-*", "pulls/*/*.partial")
"""Scratch that a run removes when it ends; a killed one leaves it."""
RESTORE = "restore it from a backup (docs/operations.md)"


def manifest(site: Site) -> Finding:
    """Every row of the store's manifest, and that what it names is there."""
    store = Store(site.home)
    seen: list[Snapshot] = []
    for folder in sorted((site.home / "manifest").glob("*")):
        if not folder.name.isdigit():
            return failed("manifest", f"{folder}: is no school year", "move it out of the home")
        try:
            rows = store.snapshots(int(folder.name))
        except TypeError:
            return failed("manifest", f"{folder}: a row is not one of this version", RESTORE)
        if doubled := [number for number, count in Counter(row.seq for row in rows).items() if count > 1]:
            return failed("manifest", f"{folder}: number {doubled[0]} stands there twice", RESTORE)
        seen += rows
    for row in seen:
        if lost := (store.faults(row) if site.is_deep else _lacks(store, row)):
            return failed("manifest", lost[0], RESTORE)
    held = "every byte as it says" if site.is_deep else "their files are there"
    return ok("manifest", f"{len(seen)} snapshots, {held}")


def _lacks(store: Store, row: Snapshot) -> list[str]:
    """One line for each file of a snapshot that is missing, or not as long as it was."""
    files = [store.folder(row) / name for name in row.files]
    found = [f"{path}: is missing" for path in files if not path.is_file()]
    try:
        kept = store.delivery(row.sha256)
        if kept.stat().st_size != row.bytes:
            found.append(f"{kept}: has another length than the manifest says")
    except InputError as error:
        found.append(str(error))
    return found


def links(site: Site) -> Finding:
    """`current` of each year names the complete release that has to be in force."""
    years = sorted({release.year for release in releases(site.home)})
    for folder in sorted((site.home / "published").glob("*")):
        link = folder / CURRENT
        if os.path.lexists(link) and not (link / MANIFEST).is_file():
            return failed("current", f"{link}: names no complete release", "run the year again: it moves the link")
    for year in years:
        named, due = current(site.home, year), in_force(site.home, year)
        if named != due:
            wanted = due.name if due else "none"
            says = f"{published(site.home, year) / CURRENT}: names {named.name if named else 'none'}, not {wanted}"
            return failed("current", says, "run the year again: it moves the link")
    return ok("current", f"{len(years)} school years have a release in force")


def release_files(site: Site) -> Finding:
    """The releases in force against their manifests; whether each file is there, or with `is_deep` every byte."""
    found = [release for year in {r.year for r in releases(site.home)} if (release := current(site.home, year))]
    for release in sorted(found, key=lambda r: r.year):
        try:
            named = {**release.manifest["files"], **release.manifest["changes"]}
        except (ValueError, KeyError, TypeError):
            return failed("releases", f"{release.folder / MANIFEST}: is not a manifest", RESTORE)
        lost = [f"{release.folder / name}: is missing" for name in named if not (release.folder / name).is_file()]
        if lost := lost or (faults(release) if site.is_deep else []):
            return failed("releases", lost[0], RESTORE)
    held = "every byte is as the manifest says" if site.is_deep else "every file is there (--deep reads each)"
    return ok("releases", f"{len(found)} in force; {held}")


def left_over(site: Site) -> Finding:
    """Scratch of runs that were killed; nothing while a run is writing."""
    found = sorted(path for pattern in LEFT for path in site.home.glob(pattern) if not _is_in_use(path))
    if not found:
        return ok("left over", "nothing")
    if is_running(site.home):
        return ok("left over", "a run is writing")
    files = [file for path in found for file in (path, *below(path)) if file.is_file() and not file.is_symlink()]
    says = f"{len(found)} folders or files, {size(sum(file.stat().st_size for file in files))}, such as {found[0]}"
    return warning("left over", says, "remove them while no run is writing")


def _is_in_use(path: Path) -> bool:
    """Whether a link beside it names it: tables of a year are such a folder."""
    return any(other.is_symlink() and other.resolve() == path.resolve() for other in path.parent.iterdir())


def is_running(home: Path) -> bool:
    """Whether a run holds the home."""
    import fcntl

    if not (lock := home / RUN_LOCK).is_file():
        return False
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
