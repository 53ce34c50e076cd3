"""Writing a bundle: one archive, written aside and renamed, with the same bytes for the same release.

Belongs here: the order of files, the archive, `bundle.json`. Does not: what an audience may see (`contents`).
"""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
import zlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from orchestration.errors import InputError
from orchestration.files import whole
from orchestration.publication.bundle import verifier
from orchestration.publication.bundle.contents import Audience, gates, release_files, told
from orchestration.publication.bundle.dbt_docs import Asking, changed_models
from orchestration.publication.bundle.lineage_events import events
from orchestration.publication.bundle.readme import readme
from orchestration.publication.bundle.tracing import TABLE, write_trace
from orchestration.publication.checking import faults
from orchestration.releases import Release

BUNDLE_VERSION = 1
MODES = {Audience.auditor: 0o600, Audience.public: 0o644}
"""The auditor's holds small counts and stays with its owner."""
NO_TRACE = {
    Audience.auditor: "No trace: there were no determinations in this year. Only the files were checked.",
    Audience.public: (
        "No trace: it holds figures that are withheld from the public. The files were checked; to replay percentages "
        "and categories, the auditor's bundle is needed."
    ),
}
_PACKED = (".gz", ".xlsx")
"""Packed already."""


@dataclass(frozen=True)
class Bundle:
    """A bundle that was written."""

    path: Path
    files: int
    steps: int
    size: int
    sha256: str


def name_of(release: Release, audience: Audience) -> str:
    """Name of the folder inside, and of the archive unless another is asked for."""
    return f"{audience}-{release.year}-{release.name}"


def make_bundle(release: Release, out: Path, audience: Audience, *, home: Path, with_dbt: bool = True) -> Bundle:
    """Write the bundle of a release to `out`, in place of an earlier bundle there.

    Raises InputError when the release is not as its manifest says, or `out` lies among the releases, is no file or one
    that is no bundle.
    """
    _check(out, home)
    if wrong := faults(release):
        raise InputError(f"{wrong[0]}; {len(wrong)} files are at fault, so nothing was bundled; restore the release")
    changed = changed_models(release.folder)
    about = _about(release, audience) | {"dbt": _dbt_words(changed, with_dbt)}
    with ExitStack() as held:  # dbt reads its project in a process of its own, while the archive is written
        dbt = held.enter_context(Asking(release.year, release.source)) if with_dbt and not changed else None
        file = held.enter_context(whole(out, MODES[audience]))
        archive = held.enter_context(zipfile.ZipFile(file, "w"))
        writing = _Writing(archive, name_of(release, audience), MODES[audience])
        steps = _write(writing, release, audience, about, home)
        for name, content in dbt.answer() if dbt else ():
            writing.add(name, content)
        trace = {"trace": about["trace"] | {"steps": steps}} if "trace" in about else {}
        writing.add(verifier.BUNDLE, _json(about | trace | {"files": dict(sorted(writing.digests.items()))}))
    return Bundle(out, len(writing.digests), steps, out.stat().st_size, writing.digests[verifier.BUNDLE])


def _write(writing: _Writing, release: Release, audience: Audience, about: dict[str, Any], home: Path) -> int:
    """Everything but dbt's part and bundle.json: number of steps of the trace."""
    steps = 0
    writing.add("README.md", readme(release, audience, about).encode())
    writing.add("verify.py", Path(verifier.__file__))
    for name, content in release_files(release, audience):
        writing.add(f"{verifier.RELEASE}{name}", content)
    if "trace" in about:
        trace, policy = release.folder / f"{TABLE}.parquet", release.folder / "policy.csv"
        steps = writing.stream(verifier.TRACE, lambda file: write_trace(trace, policy, file))
    if audience is Audience.public:
        writing.add("validation.json", _json(gates(release)))
    lines = (json.dumps(event, sort_keys=True) + "\n" for event in events(told(release, audience, home)))
    writing.add("openlineage.jsonl", "".join(lines).encode())
    return steps


def _check(out: Path, home: Path) -> None:
    if out.resolve().is_relative_to((home / "published").resolve()):
        raise InputError(f"--out {out}: lies among the releases, which never change; name a file elsewhere")
    if out.is_symlink() or (out.exists() and not out.is_file()):
        raise InputError(f"--out {out}: is not a file; name a new one")
    if out.exists() and not _is_bundle(out):
        raise InputError(f"--out {out}: is there already and is no audit bundle; move it away or name another file")
    if not out.parent.is_dir():
        raise InputError(f"--out {out}: there is no folder {out.parent}; make it first")


def _is_bundle(path: Path) -> bool:
    """Whether a file is an archive as this module writes them: one folder with bundle.json, which says its version."""
    try:
        with zipfile.ZipFile(path) as archive:
            tops = {name.partition("/")[0] for name in archive.namelist()}
            about = json.loads(archive.read(f"{tops.pop()}/{verifier.BUNDLE}")) if len(tops) == 1 else {}
    except (OSError, EOFError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error):
        return False
    return isinstance(about, dict) and {"bundle_version", "release", "audience"} <= about.keys()


def _about(release: Release, audience: Audience) -> dict[str, Any]:
    """What bundle.json says but for the digests of the files."""
    manifest = release.manifest
    about: dict[str, Any] = {
        "bundle_version": BUNDLE_VERSION,
        "release": f"{release.year}/{release.name}",
        "audience": str(audience),
        "content_sha256": manifest["content_sha256"],
    }
    if audience is Audience.auditor:
        about["manifest_sha256"] = release.sha256
    if audience is Audience.auditor and f"{TABLE}.parquet" in manifest["files"]:
        about["trace"] = {"made_from": f"{TABLE}.parquet", "sha256": manifest["files"][f"{TABLE}.parquet"]}
    else:
        about["why_no_trace"] = NO_TRACE[audience]
    return about


def _dbt_words(changed: Sequence[str], with_dbt: bool) -> str:
    if not with_dbt:
        return "not there: it was not asked for"
    if not changed:
        return "the models as source, dbt's manifest, and their documentation as one page (`dbt/index.html`)"
    return (
        f"not there: the models have changed since the release was made ({len(changed)} files, first {changed[0]}); "
        "check out the code of that time and bundle again"
    )


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


class _Writing:
    """Files put into the archive one after the other, with their digests. No clock, no owner: the same bytes again."""

    def __init__(self, archive: zipfile.ZipFile, top: str, mode: int) -> None:
        self._archive, self._top, self._mode = archive, top, mode
        self.digests: dict[str, str] = {}

    def add(self, name: str, content: bytes | Path) -> None:
        def write(file: IO[bytes]) -> None:
            if isinstance(content, bytes):
                file.write(content)
            else:
                with content.open("rb") as source:
                    shutil.copyfileobj(source, file, 1 << 20)

        self.stream(name, write)

    def stream(self, name: str, write: Callable[[IO[bytes]], Any]) -> Any:
        """A file whose bytes `write` hands over; returns what it returns."""
        info = zipfile.ZipInfo(f"{self._top}/{name}")  # of the first day that the format knows
        info.create_system = 3
        info.external_attr = self._mode << 16
        info.compress_type = zipfile.ZIP_STORED if name.endswith(_PACKED) else zipfile.ZIP_DEFLATED
        with self._archive.open(info, "w", force_zip64=True) as file:
            digesting = _Digesting(file)
            returned = write(digesting)  # type: ignore[arg-type]
        self.digests[name] = digesting.digest.hexdigest()
        return returned


class _Digesting:
    """Hands bytes on and takes their digest."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def write(self, block: bytes) -> int:
        self.digest.update(block)
        return self._file.write(block)

    def flush(self) -> None:
        self._file.flush()
