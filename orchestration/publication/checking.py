"""Whether a release is still as its manifest says, to the byte."""

from __future__ import annotations

from orchestration.files import sha256_of
from orchestration.releases import MANIFEST, Release


def faults(release: Release) -> list[str]:
    """One line for each file that is missing, has other bytes, or is not in the manifest."""
    wanted = release.manifest["files"] | release.manifest["changes"]
    there = {p.relative_to(release.folder).as_posix(): p for p in release.folder.rglob("*") if p.is_file()}
    there.pop(MANIFEST, None)
    found = [f"{release.folder / name}: is missing" for name in wanted if name not in there]
    found += [f"{path}: is not in the manifest" for name, path in there.items() if name not in wanted]
    found += [
        f"{there[name]}: has other bytes than the manifest says"
        for name, digest in wanted.items()
        if name in there and sha256_of(there[name]) != digest
    ]
    return sorted(found)
