"""Whether a year has to be run again, and why: new deliveries first, then room by room in the order of the data.

Belongs here: asking each room what has changed since its tables were made. Does not: making or writing anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from orchestration.assistance import building as assistance
from orchestration.determinations import building as determinations
from orchestration.errors import InputError
from orchestration.files import sha256_of
from orchestration.indicators import building as indicators
from orchestration.intake.contracts import Contract
from orchestration.intake.digests import landed_digests
from orchestration.intake.landing import Arrival, scan
from orchestration.intake.store import Store, TakenBefore
from orchestration.policy import Register
from orchestration.releases import newest
from orchestration.settings import Settings
from orchestration.tables import Changes, folder_of, record_of


@dataclass(frozen=True)
class Pipeline:
    """What is asked: the folders, the contracts and the policy of one installation."""

    settings: Settings
    contracts: Mapping[str, Contract]
    register: Register

    def collections(self, source: str) -> frozenset[str]:
        """Collections that a run of `source` takes in: its own and the ledgers."""
        kinds = (source, *indicators.SOURCES_READ)
        return frozenset(name for name, contract in self.contracts.items() if contract.source in kinds)


Digest = Callable[[Path], str]
"""sha256 of a landed file; by itself what is remembered of it, else read."""
READERS = 2
"""Files that are read at a time to know their digests."""


def stale(year: int, source: str, stage: str, pipeline: Pipeline, digest: Digest | None = None) -> Changes:
    """What has changed since the year's release of `source` and `stage` was made; nothing if it is up to date.

    The first room with a change answers: what comes after it will be made anew in any case, if that changes its tables.
    """
    settings, contracts, register = pipeline.settings, pipeline.contracts, pipeline.register
    if news := tuple(f"{what} delivered" for what, _ in unknown(year, source, stage, pipeline, digest)):
        return Changes(news)
    if old := _judged_by_older_rules(year, source, pipeline):
        return Changes(rules=old)
    try:
        found = indicators.outdated(year, stage, source, settings=settings, contracts=contracts, register=register)
        if not found and determinations.has_determinations(register, year):
            found = determinations.outdated(year, source, settings=settings, register=register)
            if not found and assistance.has_places(year, source, settings):
                found = assistance.outdated(year, source, settings=settings, register=register)
    except InputError as error:  # a room that could not begin; the run will say so in full
        return Changes((str(error),))
    return found or _unpublished(year, source, stage, settings)


def unknown(
    year: int, source: str, stage: str, pipeline: Pipeline, digest: Digest | None = None
) -> list[tuple[str, str]]:
    """Landed files that a run would take in: collection, part and stage in words, and sha256.

    A file that was refused before with the same bytes is none: it would be refused again.
    """
    store = Store(pipeline.settings.home)
    before = TakenBefore(store.snapshots(year))
    refused = store.refusals(year)
    own = pipeline.collections(source)
    arrivals = [
        arrival
        for arrival in scan(pipeline.settings.landing, year, pipeline.contracts).arrivals
        if arrival.collection in own and (stage != "official" or arrival.stage == stage)
    ]
    with landed_digests(pipeline.settings.home) as remembered, ThreadPoolExecutor(READERS) as readers:
        read = digest or remembered.of
        digests = list(readers.map(lambda arrival: _digest_of(arrival, read), arrivals))
    found = []
    for arrival, sha256 in zip(arrivals, digests, strict=True):
        if sha256 is None or sha256 in refused:
            continue
        if not before.has(arrival.collection, arrival.stage, arrival.name, sha256):
            found.append((f"{year} {arrival.collection} {arrival.part}".strip(), sha256))
    return found


def _digest_of(arrival: Arrival, digest: Digest) -> str | None:
    try:
        return digest(arrival.path)
    except OSError:  # unreadable: the intake says so by name
        return None


def _judged_by_older_rules(year: int, source: str, pipeline: Pipeline) -> tuple[str, ...]:
    """Collections in force that were judged by another version of their contract."""
    own = pipeline.collections(source)
    newest_ones = {(s.collection, s.part, s.stage): s for s in Store(pipeline.settings.home).snapshots(year)}
    names = {
        s.collection
        for s in newest_ones.values()
        if s.collection in own and s.contract_version != pipeline.contracts[s.collection].version
    }
    return tuple(f"contract {name} changed" for name in sorted(names))


def _unpublished(year: int, source: str, stage: str, settings: Settings) -> Changes:
    """Tables that no release of the stage holds: none was made yet, or a gate stopped the last run."""
    release = newest(settings.home, year, source, stage)
    if release is None:
        return Changes((f"there is no {stage} release yet",))
    published = release.manifest["files"]
    for room in (indicators.ROOM, determinations.ROOM, assistance.ROOM):
        folder = folder_of(settings.home, room, source, year)
        for table in (record_of(folder) or {"rows": {}})["rows"]:
            if sha256_of(folder / f"{table}.parquet") != published.get(f"{table}.parquet"):
                return Changes((f"{table} is newer than release {release.name}",))
    return Changes()
