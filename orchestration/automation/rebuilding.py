"""Rebuilding a release from the snapshots that it names, aside, and holding the bytes against its manifest.

Belongs here: a home of its own with just those snapshots, the rooms in their order, the comparison. Does not: any rule;
nothing of the home that is read changes.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestration.assistance.building import build as build_assistance
from orchestration.determinations.building import build as build_determinations
from orchestration.determinations.building import has_determinations
from orchestration.errors import InputError
from orchestration.files import private_folder, sha256_of
from orchestration.indicators.building import build as build_indicators
from orchestration.intake.contracts import Contract
from orchestration.intake.store import Store
from orchestration.policy import Register
from orchestration.publication.code import changed_since
from orchestration.publication.gathering import gather
from orchestration.releases import Release, published
from orchestration.settings import Settings


@dataclass(frozen=True)
class Rebuilt:
    """Files of the tables that came out with the same bytes, those that did not, and code changed since the release."""

    same: tuple[str, ...]
    different: tuple[str, ...]
    code: tuple[str, ...]


def rebuild(release: Release, *, settings: Settings, contracts: Mapping[str, Contract], register: Register) -> Rebuilt:
    """Make the tables of a release again and compare. Raises InputError naming a snapshot or release that is gone."""
    manifest = release.manifest
    years = sorted({int(name.split()[1]) for name in manifest["tables_read"] if name.startswith("indicators ")})
    with tempfile.TemporaryDirectory(dir=private_folder(settings.home / "build", settings.home)) as name:
        aside = settings.model_copy(update={"home": Path(name)})
        lay_out(release, settings.home, aside.home)
        for year in [*(y for y in years if y != release.year), release.year]:
            stage = release.stage if year == release.year else "official"
            build_indicators(year, stage, source=release.source, settings=aside, contracts=contracts, register=register)
        if has_determinations(register, release.year):
            build_determinations(release.year, release.source, settings=aside, register=register)
            build_assistance(release.year, release.source, settings=aside, register=register)
        made = {path.name: sha256_of(path) for path in gather(aside.home, release.year, release.source).files}
    wanted = {
        file: digest
        for file, digest in manifest["files"].items()
        if file.split(".")[0] in manifest["rows"] or file.endswith(".xlsx")
    }
    return Rebuilt(
        same=tuple(sorted(f for f in wanted if made.get(f) == wanted[f])),
        different=tuple(sorted(f for f in {*wanted, *made} if made.get(f) != wanted.get(f))),
        code=changed_since(release.folder),
    )


def lay_out(release: Release, home: Path, aside: Path) -> None:
    """A home that holds the snapshots and earlier releases that the release names, and no others."""
    store, copy = Store(home), Store(aside)
    for entry in release.manifest["inputs"]:
        found = next(
            (
                s
                for s in store.snapshots(entry["year"], entry["collection"])
                if (s.part, s.stage, s.sha256, s.accepted_sha256)
                == (entry["part"], entry["stage"], entry["sha256"], entry["accepted"])
            ),
            None,
        )
        if found is None:
            raise InputError(
                f"{release.year}/{release.name}: the snapshot of {entry['file']} (sha256 {entry['sha256'][:12]}…) "
                "is gone from the store; restore it from a backup"
            )
        target = private_folder(copy.manifest_path(found).parent, aside) / copy.manifest_path(found).name
        shutil.copyfile(store.manifest_path(found), target)
    (aside / "snapshots").symlink_to((home / "snapshots").resolve())
    for name, read in release.manifest["earlier_releases"].items():
        year, earlier = int(name.split()[1]), read.split()[0]
        if not (published(home, year) / earlier).is_dir():
            raise InputError(f"{published(home, year) / earlier}: is gone; restore it from a backup")
        private_folder(published(aside, year), aside)
        (published(aside, year) / earlier).symlink_to((published(home, year) / earlier).resolve())
