"""The database of the last build of a year and source, kept so that the next one makes only what has changed.

Belongs here: whether it can be gone on from, and which models are made again. Does not: what a version is made of
(`versioning`), nor running dbt. Models are gone on from only while every rule is the same; other rules begin anew, so a
model of the old code can never stand beside one of the new. A build that does not end leaves nothing to go on from.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestration.files import make_private, private_folder, sha256_of, write_whole
from orchestration.indicators import versioning
from orchestration.indicators.dbt_running import DATABASE
from orchestration.indicators.versioning import digest
from orchestration.lineage.models import CATALOGUE, Model

FOLDER = "models"
"""Below the home: `<source>/<year>/` holds the database, copies of corrected rows, and the record."""
RECORD = "record.json"
_DECIDING = (Path(__file__), Path(versioning.__file__), CATALOGUE)
"""Files that say which models are the same as before."""


@dataclass
class LastBuild:
    """`versions`: model to what it was made from, as it stands in the database in `folder`; none in a new one."""

    folder: Path
    versions: Mapping[str, str] = field(default_factory=dict)

    def changed(self, now: Mapping[str, str]) -> list[str]:
        """Models that have to be made, so that they stand as `now` says."""
        return [model for model, version in now.items() if self.versions.get(model) != version]


@contextmanager
def last_build(home: Path, source: str, year: int, rules: Mapping[str, str]) -> Iterator[LastBuild]:
    """What there is to go on from under the same `rules`, or an empty folder.

    Once the block ends, `versions` as set there are what the database holds. When it raises, the database goes.
    """
    folder = private_folder(home / FOLDER / source / str(year), home)
    record, state = folder / RECORD, digest([sorted(rules.items()), *map(sha256_of, _DECIDING)])
    before = _read(record)
    record.unlink(missing_ok=True)  # until all is made, nothing says what the database holds
    if before.get("state") != state or not (folder / DATABASE).is_file():
        before = {}
        shutil.rmtree(folder)
        private_folder(folder, home)
    last = LastBuild(folder, before.get("versions", {}))
    try:
        yield last
        make_private(folder)
        write_whole(record, [json.dumps({"state": state, "versions": dict(last.versions)}).encode()])
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _read(record: Path) -> dict[str, Any]:
    """The record, or nothing where there is none that can be read: then all is made."""
    try:
        found: dict[str, Any] = json.loads(record.read_bytes())
    except (OSError, ValueError):
        return {}
    return found


def standing(
    models: Mapping[str, Model],
    versions: Mapping[str, str],
    handed_over: Mapping[str, Mapping[str, Sequence[str]]],
    year: int,
    lags: Mapping[str, int],
) -> dict[str, str]:
    """Model to what it is made from: the version of its data, and where it reads files, their names too.

    A view names the files that it reads; the same rows may have come to lie elsewhere.
    """
    return {
        name: digest([versions[name], *(handed_over[str(year - model.years_back(lags))][model.reads])])
        if model.reads
        else versions[name]
        for name, model in models.items()
    }
