"""Are the folders fit to hold a year: whose they are, who may look in, where they lie, how much room there is?

Belongs here: folders, modes, disk, locks. Does not: whether what lies in them is whole (`contents`).
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from orchestration.doctor.findings import Finding, Site, failed, ok, warning
from orchestration.intake.landing import landed_years

ROOM_FACTOR = 5
"""Bytes that a home needs for one landed byte of CSV: kept deliveries, snapshots, tables, releases, databases of last
builds, scratch. Measured with four statewide years of 1.4 GB: 1.9 GB, and 0.75 to 0.9 GB a database."""
PACKED_FACTOR = 12
"""The same for one byte of a packed delivery (csv.gz, xlsx, parquet): the tables do not shrink with it."""
SMALLEST_ROOM = 2 << 30
"""Bytes: below this even an empty installation is too tight for dbt's scratch and Dagster's history."""
NETWORK = re.compile(r"(fuse\.)?(nfs4?|cifs|smb3?|smbfs|sshfs|9p|afs|ceph|glusterfs|lustre|davfs2?|s3fs|rclone)")
"""File systems over a network: a lock there may not hold, and DuckDB may not map its files."""
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def ownership(site: Site) -> Finding:
    """The home is there, or can be made, and is this user's."""
    home, user = site.home, site.machine.user
    if not home.exists():
        parent = existing(home)
        if not os.access(parent, os.W_OK | os.X_OK):
            return failed("home", f"{home}: cannot be made in {parent}", "make it and give it to this user")
        return ok("home", f"{home}: is made by the first run")
    if not home.is_dir():
        return failed("home", f"{home}: is no folder", "move it away or name another home")
    other = [path for path in (home, *below(home)) if path.lstat().st_uid != user]
    if other:
        return failed("home", f"{other[0]}: belongs to another user ({len(other)} do)", f"chown -R {user} {home}")
    if not os.access(home, os.W_OK | os.X_OK):
        return failed("home", f"{home}: cannot be written by this user", f"chmod u+rwx {home}")
    return ok("home", f"{home}: is this user's")


def modes(site: Site) -> Finding:
    """Nobody else can look in."""
    paths = (path for path in (site.home, *below(site.home)) if path.exists() and not path.is_symlink())
    open_ones = [path for path in paths if path.stat().st_mode & _OTHERS]
    if open_ones:
        says = f"{open_ones[0]}: open to group or others ({len(open_ones)} folders and files are)"
        return failed("modes", says, f"chmod -R go= {site.home}")
    return ok("modes", "home and everything in it are closed to group and others")


def room(site: Site) -> Finding:
    """Free space against what landed."""
    landing = site.settings.landing
    files = {p: p.stat().st_size for p in below(landing) if p.is_file() and not p.is_symlink()}
    landed = sum(files.values())
    wanted = (n * (ROOM_FACTOR if p.suffix.lower() == ".csv" else PACKED_FACTOR) for p, n in files.items())
    needed = max(sum(wanted), SMALLEST_ROOM)
    free = site.machine.free(existing(site.home))
    says = f"{size(free)} free; {size(needed)} wanted for {size(landed)} landed"
    if free < needed:
        return failed("disk", says, f"free space on the disk of {site.home}")
    return ok("disk", says)


def file_systems(site: Site) -> Finding:
    """Home and landing on a local file system."""
    home, landed = (kind_of(path, site.machine.mounts) for path in (site.home, site.settings.landing))
    if home is None or landed is None:
        return warning("file system", "what the folders lie on cannot be told", "make sure that it is a local disk")
    says = f"home on {home}, landing on {landed}"
    if NETWORK.fullmatch(home):
        return failed("file system", says, "put the home on a local disk: locks and DuckDB need one")
    if NETWORK.fullmatch(landed):
        return warning("file system", says, "copy deliveries to a local disk: a file may change while it is read")
    return ok("file system", says)


def landing(site: Site) -> Finding:
    """The landing folder and every file in it can be read."""
    folder = site.settings.landing
    if not folder.is_dir():
        return warning("landing", f"{folder}: no such folder", "make it, or name it with --raw")
    paths = [folder, *below(folder)]
    shut = [p for p in paths if not p.is_symlink() and not os.access(p, os.R_OK | (os.X_OK if p.is_dir() else 0))]
    if shut:
        return failed("landing", f"{shut[0]}: cannot be read ({len(shut)} cannot)", "correct its permissions")
    years = landed_years(folder)
    return ok("landing", f"{folder}: " + (f"school years {years[0]} to {years[-1]}" if years else "nothing landed yet"))


def locks(site: Site) -> Finding:
    """A lock in the home keeps a second holder out."""
    if not site.home.is_dir() or not os.access(site.home, os.W_OK | os.X_OK):
        return ok("locks", "tried once the home is there")
    with tempfile.NamedTemporaryFile(dir=site.home, prefix=".doctor-") as first, Path(first.name).open("rb") as second:
        try:
            fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return ok("locks", "a lock in the home holds")
        except OSError as error:
            return failed("locks", f"{site.home}: cannot be locked ({error.strerror})", "put the home on a local disk")
    return failed("locks", f"{site.home}: two processes can hold one lock", "put the home on a local disk")


def kind_of(path: Path, mounts: str) -> str | None:
    """Kind of the file system that `path` lies on, by the longest mount point above it; None if that is not known."""
    place, best = existing(path).resolve(), (-1, "")
    for line in mounts.splitlines():
        _, where, kind, *_ = [*line.split(" "), "", "", ""]
        point = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), where or "/"))
        if place.is_relative_to(point):
            best = max(best, (len(point.parts), kind), key=lambda entry: entry[0])
    return best[1] or None


def existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next(place for place in (path, *path.parents) if place.exists())


def below(folder: Path) -> Iterator[Path]:
    """Everything below a folder; links are listed, never followed."""
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files):
            yield Path(root) / name


def size(count: int) -> str:
    """Bytes for people: 1.5 GB."""
    return f"{count / 1e9:,.1f} GB" if count >= 10**8 else f"{count / 1e6:,.1f} MB"
