"""Audit bundles in tests: verifying one as an outsider does, taking one apart, and the replay without the rest.

Belongs here: folders, processes, digests. Does not: what a bundle has to hold (the tests say).
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jsonschema

from orchestration.determinations.figures import Result
from orchestration.determinations.ledgers import Designation, Recognition
from orchestration.determinations.participation import ParticipationCount
from orchestration.determinations.reading import Inputs, Organisation
from orchestration.files import sha256_of
from orchestration.policy import COLUMNS
from orchestration.publication.bundle.tracing import write_trace
from orchestration.publication.bundle.verifier import BUNDLE, LATER, RELEASE, TRACE, Checks, Package, Policy, Replay
from tests.support.determinations import REGISTER
from tests.support.forgeries import Forgery

_SCHEMA = json.loads(Path(__file__).with_name("openlineage_schema.json").read_bytes())
OPENLINEAGE = jsonschema.Draft202012Validator(_SCHEMA, format_checker=jsonschema.FormatChecker())
"""What the specification 2-0-2 and its facets ask of the events that a bundle has, written out from it by hand."""


def loose(tables: Path, folder: Path) -> Path:
    """Trace, policy rows and tables of a year as they lie in a bundle, without a release around them."""
    place = folder / "bundle"
    place.mkdir()
    (place / RELEASE.rstrip("/")).symlink_to(tables)
    policy = tables / "policy.csv"
    with policy.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([getattr(row, name) for name in COLUMNS] for row in REGISTER.rows)
    with (place / TRACE).open("wb") as file:
        write_trace(tables / "determination_trace.parquet", policy, file)
    return place


def write_inputs(folder: Path, inputs: Inputs) -> None:
    """The tables that a year's determinations are made from, as a release has them beside theirs."""
    results = [{**row._asdict(), "n": row.n or None} for row in inputs.results if row.school_year == inputs.year]
    tables: dict[str, tuple[tuple[str, ...], list[dict[str, Any]]]] = {
        "indicator_results": (Result._fields, results),
        "participation_results": (ParticipationCount._fields, [row._asdict() for row in inputs.participation]),
        "organisations": (Organisation._fields, [row._asdict() for row in inputs.organisations.values()]),
        "designations": (tuple(Designation.__dataclass_fields__), [asdict(row) for row in inputs.designations]),
        "recognitions": (tuple(Recognition.__dataclass_fields__), [asdict(row) for row in inputs.recognitions]),
    }
    for name, (columns, rows) in tables.items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)


def replay_of(place: Path, year: int) -> Replay:
    """The verifier's replay of what lies there; differences are printed."""
    package = Package(place)
    replayed = Replay(package, Checks(), Policy(package.rows(f"{RELEASE}policy.csv"), year))
    replayed.run()
    return replayed


@contextmanager
def traced(place: Path) -> Iterator[list[dict[str, Any]]]:
    """The steps of the trace, to be changed; written back when the block ends."""
    with gzip.open(place / TRACE) as file:
        steps = [json.loads(line) for line in file]
    yield steps
    with gzip.open(place / TRACE, "wt") as text:
        text.writelines(json.dumps(step) + "\n" for step in steps)


def forged(place: Path, forgery: Forgery) -> list[str]:
    """Change trace and determinations of what lies there as a forger would: the lines that have to be said of it."""
    table = place / RELEASE / "determinations.csv"
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns = list(rows[0])
    with traced(place) as steps:
        wanted = forgery(steps, rows)
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return wanted


def unpacked(archive: Path, folder: Path) -> Path:
    """The one folder that an archive holds."""
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder)
    (place,) = folder.iterdir()
    return place


def contents_of(file: Path) -> Iterator[bytes]:
    """The bytes of a file, and of what is packed in it."""
    yield file.read_bytes()
    if file.suffix == ".gz":
        yield gzip.decompress(file.read_bytes())
    if file.suffix == ".xlsx":
        with zipfile.ZipFile(file) as parts:
            yield from map(parts.read, parts.namelist())


def verified(place: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the verifier of an unpacked bundle with nothing but the standard library."""
    command = [sys.executable, "-I", "-S", place / "verify.py", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def signed_again(place: Path, *tables: str) -> None:
    """Make the digests fit what was changed, as a forger would: of tables in the release's manifest too."""
    manifest_file, bundle_file = place / RELEASE / "manifest.json", place / BUNDLE
    manifest, bundle = (json.loads(file.read_bytes()) for file in (manifest_file, bundle_file))
    for table in tables:
        manifest["files"][table] = sha256_of(place / RELEASE / table)
    content = {name: entry for name, entry in manifest.items() if name not in LATER}
    manifest["content_sha256"] = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    if tables:
        manifest_file.write_text(json.dumps(manifest))
    bundle["files"] = {name: sha256_of(place / name) for name in bundle["files"]}
    bundle["manifest_sha256"] = bundle["files"][f"{RELEASE}manifest.json"]
    bundle["content_sha256"] = manifest["content_sha256"]
    bundle_file.write_text(json.dumps(bundle))
