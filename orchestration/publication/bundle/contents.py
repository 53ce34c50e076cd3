"""What a bundle holds for whom: the files of the release, the manifest as it may be seen, what gates found, times.

Belongs here: the choice between the two audiences. Does not: writing the archive (`making`).

For an auditor: every file of the release but Parquet, of which CSV (the trace: lines of JSON) says the same. For the
public: what lies below public/, policy and code. Of the manifest the public sees no digest of anything internal: who
knows all of a table but a few withheld counts could try them until the digest fits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from orchestration.publication.bundle.lineage_events import Told
from orchestration.releases import MANIFEST, Release

PUBLIC = "public/"
OPEN = ("policy.csv", "citations.csv", "code.csv", "feeds.json", "column_lineage.json")
"""Files of a release that tell nothing of a student."""
LINEAGE = "column_lineage.json"
"""{table: {column: [[upstream table, column], ...]}}; a release may have it."""
DIGESTS = ("sha256", "accepted", "file")
"""Of a delivery: a ledger of one row could be found by trying."""
JUDGED = {"passed": True, "failed": False, "crashed": False}
"""Status of an expectation to whether it held; what could not be compared was not judged."""


class Audience(StrEnum):
    auditor = "auditor"
    public = "public"


def release_files(release: Release, audience: Audience) -> Iterator[tuple[str, Path | bytes]]:
    """Name below release/ and where it comes from, the manifest first."""
    manifest = release.manifest
    if audience is Audience.auditor:
        yield MANIFEST, release.folder / MANIFEST
    else:
        yield MANIFEST, (json.dumps(public_manifest(manifest), indent=1, ensure_ascii=False) + "\n").encode()
    for name in sorted({**manifest["files"], **manifest["changes"]}):
        if not name.endswith(".parquet") and (audience is Audience.auditor or _is_open(name)):
            yield name, release.folder / name


def public_manifest(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest without digests of, and numbers of rows in, what is not public."""
    named = ("manifest_version", "school_year", "source", "stage", "release", "policy_sha256", "code", "software")
    inputs = [{name: of for name, of in entry.items() if name not in DIGESTS} for entry in manifest["inputs"]]
    return {
        **{name: manifest[name] for name in named},
        "inputs": inputs,
        "earlier_releases": sorted(manifest["earlier_releases"]),
        "gates_passed": manifest["gates_passed"],
        "files": {name: digest for name, digest in manifest["files"].items() if _is_open(name)},
        "content_sha256": manifest["content_sha256"],
    }


def _is_open(name: str) -> bool:
    return name in OPEN or name.startswith(PUBLIC)


def gates(release: Release) -> dict[str, list[dict[str, Any]]]:
    """Room to what its gate expected, and whether it held; no figure and no row of a table."""
    named = ("table", "name", "type", "severity", "rule", "says", "status")
    found = {}
    for room in release.manifest["gates_passed"]:
        report = json.loads((release.folder / "validation" / f"{room}.json").read_bytes())
        found[room] = [{name: outcome[name] for name in named} for outcome in report.get("outcomes", [])]
    return found


def told(release: Release, audience: Audience, home: Path) -> Told:
    """What the events of the release's run are made from."""
    manifest = release.manifest
    open_ = audience is Audience.public
    if open_:
        manifest = manifest | {"inputs": public_manifest(manifest)["inputs"], "files": {}, "tables_read": {}}
    started, ended = run_times(release, home)
    lineage = release.folder / LINEAGE
    return Told(
        manifest=manifest,
        started=started,
        ended=ended,
        schemas={table: _schema(release.folder / f"{table}.parquet") for table in manifest["rows"]},
        assertions={room: list(_assertions(outcomes)) for room, outcomes in gates(release).items()},
        columns=json.loads(lineage.read_bytes()) if lineage.is_file() else {},
        counts=not open_,
    )


def run_times(release: Release, home: Path) -> tuple[str, str]:
    """When the run behind the release began and ended: by the first record that says that its run made it.

    A run that fails or finds nothing changed names the newest release too. Where no record says so, the moment at which
    the manifest was written stands for both.
    """
    wanted = {"year": release.year, "source": release.source, "stage": release.stage, "release": release.name}
    for path in sorted((home / "runs").glob("*.json")):
        record = json.loads(path.read_bytes())
        made = record.get(
            "release_is_new", record.get("succeeded", True)
        )  # a record that does not say: the first good one
        if made and all(record.get(name) == value for name, value in wanted.items()):
            return record["started"], record["ended"]
    moment = datetime.fromtimestamp(int((release.folder / MANIFEST).stat().st_mtime), UTC).isoformat()
    return moment, moment


def _schema(path: Path) -> list[tuple[str, str]]:
    return [(column.name, str(column.type)) for column in pq.read_schema(path)]


def _assertions(outcomes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for outcome in outcomes:
        if outcome["status"] in JUDGED:
            yield outcome | {"held": JUDGED[outcome["status"]]}
