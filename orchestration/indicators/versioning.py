"""Versions of the tables of a build: of the code that makes each, and of the data that each is made from.

Belongs here: digests, known before anything is built. Does not: whether a build is due (`building`), nor Dagster. A
version of data is made of the versions of what goes in, so that a change in one delivery shows in what it reaches.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from orchestration.files import sha256_of
from orchestration.indicators import correcting
from orchestration.indicators.correcting import APPLIED, LEDGER
from orchestration.lineage.models import Model, models_of
from orchestration.settings import PROJECT

ENGINE = ("duckdb", "dbt-core", "dbt-duckdb")
"""Packages whose version may change a table."""


def code_versions(source: str) -> dict[str, str]:
    """Table or model to the digest of what makes it: SQL, macros, seeds, settings of dbt, engine, corrections."""
    models = models_of(source)
    files = {file: sha256_of(PROJECT / "dbt_project" / file) for model in models.values() for file in model.files}
    correcting_code = sha256_of(Path(correcting.__file__))
    engine = [version(name) for name in ENGINE]
    found = {
        name: digest([engine, [files[file] for file in model.files], correcting_code if model.reads else ""])
        for name, model in models.items()
    }
    return found | {APPLIED: digest([engine, correcting_code])}


def data_versions(
    year: int, source: str, inputs: Sequence[Mapping[str, object]], lags: Mapping[str, int], given: Sequence[object]
) -> dict[str, str]:
    """Table or model of `year` to the version of its data.

    `inputs`: deliveries read, each with year, collection, part and the digest `accepted` of its accepted rows. `given`:
    what besides is given to the build. Corrections change what any model reads, so their deliveries go in everywhere.
    """
    code = code_versions(source)
    found: dict[str, str] = {}
    for name, model in models_of(source).items():
        if model.reads:
            behind = _accepted(inputs, year - model.years_back(lags), (model.reads, LEDGER))
        else:
            behind = [found[parent] for parent in _parents(model, found)]
        found[name] = digest([year, code[name], behind, given])
    everything = [line for y in sorted({int(str(i["year"])) for i in inputs}) for line in _accepted(inputs, y, None)]
    return found | {APPLIED: digest([year, code[APPLIED], everything, given])}


def _parents(model: Model, found: Mapping[str, str]) -> list[str]:
    """Those of the source that is built; a table of both sources has parents of each."""
    return [parent for parent in model.parents if parent in found]


def _accepted(inputs: Iterable[Mapping[str, object]], year: int, collections: tuple[str, ...] | None) -> list[str]:
    return sorted(
        f"{i['year']} {i['collection']} {i['part']} {i['accepted']}"
        for i in inputs
        if i["year"] == year and (collections is None or i["collection"] in collections)
    )


def digest(parts: Sequence[object]) -> str:
    """Digest over everything in `parts`."""
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()
