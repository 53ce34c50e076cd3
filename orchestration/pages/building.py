"""Making the site: written aside, then renamed, so that a folder of pages is whole or not there.

Belongs here: folders, modes, what may be replaced. Does not: any content.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from orchestration.errors import InputError
from orchestration.files import sync
from orchestration.pages.reading import Source
from orchestration.pages.rendering import files
from orchestration.releases import Release

SITE = "site.json"
"""Says what a site was made from; a folder without it is never replaced."""
SITE_VERSION = 1
MODES = {True: (0o755, 0o644), False: (0o700, 0o600)}
"""Public or not: of folders, of files. The whole tables hold small counts and stay with their owner."""


@dataclass(frozen=True)
class Site:
    """A site that was written."""

    folder: Path
    organisations: int
    files: int
    size: int


def build_pages(release: Release, out: Path, *, home: Path, is_public: bool = False) -> Site:
    """Write the site of a release to `out`, in place of an earlier site there.

    Raises InputError when `out` is something else, or when the release lacks a table; what was there stays.
    """
    out = Path(os.path.abspath(out))  # noqa: PTH100 - not resolve: a link at `out` itself is refused below
    _check(out, home)
    source = Source(release, home, is_public)
    known = source.organisations
    out.parent.mkdir(parents=True, exist_ok=True)
    for_folder, for_file = MODES[is_public]
    made = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        count = size = 0
        for name, content in files(source):
            _write(made / name, content, for_folder, for_file)
            count, size = count + 1, size + len(content)
        about = {
            "site_version": SITE_VERSION,
            "release": f"{release.year}/{release.name}",
            "manifest_sha256": release.sha256,
            "variant": "public" if is_public else "whole",
            "earlier_releases": [f"{e.year}/{e.release.name}" for e in source.earlier],
            "organisations": len(known),
            "files": count,
        }
        _write(made / SITE, (json.dumps(about, indent=1) + "\n").encode(), for_folder, for_file)
        made.chmod(for_folder)
        _replace(made, out)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return Site(out, len(known), count + 1, size)


def _check(out: Path, home: Path) -> None:
    if out.is_relative_to(home / "published") or out.parent.resolve().is_relative_to((home / "published").resolve()):
        raise InputError(f"--out {out}: lies among the releases, which never change; name a folder elsewhere")
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise InputError(f"--out {out}: is not a folder; name a new one")
    if out.is_dir() and any(out.iterdir()) and not (out / SITE).is_file():
        raise InputError(f"--out {out}: holds something that is not a site; name a new folder or empty it")


def _write(path: Path, content: bytes, for_folder: int, for_file: int) -> None:
    if not path.parent.exists():
        path.parent.mkdir()
        path.parent.chmod(for_folder)
    path.write_bytes(content)
    path.chmod(for_file)


def _replace(made: Path, out: Path) -> None:
    """Rename into place. A site that stands there steps aside first, and back again if the rename fails."""
    if not out.exists():
        os.replace(made, out)
    else:
        old = Path(tempfile.mkdtemp(prefix=f".{out.name}-old-", dir=out.parent))
        os.replace(out, old)
        try:
            os.replace(made, out)
        except BaseException:
            os.replace(old, out)
            raise
        shutil.rmtree(old, ignore_errors=True)
    sync(out.parent)
