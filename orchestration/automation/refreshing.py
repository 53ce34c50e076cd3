"""Which year is to be refreshed next, of those whose data have arrived: the plan behind sensor and schedule.

Belongs here: which files have settled, which years are stale, in which order. Does not: starting a run (`sensors`), and
what makes a year stale (`staleness`). The day is an argument.

A year is due because of a state, not because of an event: nothing that arrives during a run, in a burst or out of order
can be missed, and the same state is never asked for twice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from orchestration.automation.cycle import cycle_of
from orchestration.automation.staleness import Pipeline, stale
from orchestration.files import sha256_of
from orchestration.intake.digests import Signature, signature
from orchestration.intake.landing import landed_files, landed_years, scan
from orchestration.intake.store import Store, TakenBefore
from orchestration.releases import releases


@dataclass(frozen=True)
class Seen:
    """A landed file as one look found it; `sha256` is known once two looks found it the same."""

    signature: Signature
    sha256: str | None = None


@dataclass(frozen=True)
class Look:
    """What one look at the landing folder found, by path. The next look begins with it."""

    files: Mapping[str, Seen] = field(default_factory=dict)

    def to_json(self) -> str:
        """For the cursor of a sensor."""
        return json.dumps({path: [list(seen.signature), seen.sha256] for path, seen in sorted(self.files.items())})

    @classmethod
    def from_json(cls, text: str | None) -> Look:
        """From the cursor of a sensor; from nothing, a first look."""
        entries = json.loads(text) if text else {}
        return cls({path: Seen(tuple(signature), sha256) for path, (signature, sha256) in entries.items()})

    def digest(self, path: Path) -> str:
        """sha256 of a settled file. Raises OSError for one that this look did not see."""
        seen = self.files.get(str(path))
        if seen is None or seen.sha256 is None:
            raise FileNotFoundError(str(path))
        return seen.sha256

    def growing(self, year: int, landing: Path) -> list[str]:
        """Files of a year that were not yet the same in two looks."""
        folder = str(landing / str(year)) + "/"
        return [Path(p).name for p, seen in self.files.items() if p.startswith(folder) and seen.sha256 is None]


@dataclass(frozen=True)
class Refresh:
    """A year that is to be run. `key` is the same for the same state of the data."""

    year: int
    stage: str
    key: str
    why: str


@dataclass(frozen=True)
class Plan:
    """Years that are to be run, the earliest first, and a line for each that has to wait."""

    refreshes: tuple[Refresh, ...]
    waiting: tuple[str, ...]


def look(pipeline: Pipeline, before: Look) -> Look:
    """Look at every landed file. One that is as the look before left it is read once; the others are left to settle."""
    found: dict[str, Seen] = {}
    landing = pipeline.settings.landing
    for year in landed_years(landing):
        for path in landed_files(landing, year):
            try:
                now = signature(path)
                known = before.files.get(str(path))
                sha256 = None
                if known and known.signature == now:
                    sha256 = known.sha256 or sha256_of(path)
                    if signature(path) != now:  # it changed while it was read
                        sha256 = None
                found[str(path)] = Seen(now, sha256)
            except OSError:  # gone again, or not readable: the intake names it when the year is run
                continue
    return Look(found)


def plan(source: str, seen: Look, day: date, pipeline: Pipeline) -> Plan:
    """What is due for `source` on `day`, by a look at the landing folder.

    Only data make a year due: a changed rule or other code is for a person to run. A later year that reads an earlier
    one becomes due by what the earlier one's run changes, so it comes up after it.
    """
    landing, register = pipeline.settings.landing, pipeline.register
    refreshes, waiting = [], []
    for year in sorted({*landed_years(landing), *_stored_years(pipeline)} & {*register.school_years}):
        if not _has(year, source, pipeline):
            continue
        cycle = cycle_of(register, year)
        stage = cycle.stage_on(day)
        if stage is None:
            waiting.append(f"{year}: {cycle.phase_on(day)}")
            continue
        if growing := seen.growing(year, landing):
            waiting.append(f"{year}: {', '.join(sorted(growing))} still arriving")
            break  # later years read this one
        changes = stale(year, source, stage, pipeline, seen.digest)
        if not changes.inputs:
            continue
        if lacking := _lacking(year, source, stage, seen, pipeline):
            waiting.append(f"{year}: waits for {', '.join(lacking)} ({stage})")
            continue
        refreshes.append(Refresh(year, stage, _key(year, source, stage, seen, pipeline), str(changes)))
    return Plan(tuple(refreshes), tuple(waiting))


def _signature(path: Path) -> Signature:
    found = path.lstat()
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _stored_years(pipeline: Pipeline) -> list[int]:
    manifest = pipeline.settings.home / "manifest"
    return [int(p.name) for p in manifest.iterdir() if p.name.isdigit()] if manifest.is_dir() else []


def _has(year: int, source: str, pipeline: Pipeline) -> bool:
    """Whether anything of the source itself, not a ledger alone, is there."""
    own = {name for name, contract in pipeline.contracts.items() if contract.source == source}
    landed = {arrival.collection for arrival in scan(pipeline.settings.landing, year, pipeline.contracts).arrivals}
    return bool(own & {*landed, *(s.collection for s in Store(pipeline.settings.home).snapshots(year))})


def _lacking(year: int, source: str, stage: str, seen: Look, pipeline: Pipeline) -> list[str]:
    """Required parts of which nothing is in force or landed that a run of the stage may use.

    Where a landed file does not say which part it is, its collection counts as there: the run will find out.
    """
    store = Store(pipeline.settings.home)
    arrivals = scan(pipeline.settings.landing, year, pipeline.contracts).arrivals
    landed = {
        (a.collection, a.part)
        for a in arrivals
        if (stage == "preliminary" or a.stage == stage) and str(a.path) in seen.files
    }
    return [
        f"{name} {part}".strip()
        for name in sorted(pipeline.collections(source))
        if not pipeline.register.suspended(year, name)
        for part in pipeline.contracts[name].required_parts
        if not {(name, part), (name, "")} & landed and part not in store.in_force(year, name, stage)
    ]


def _key(year: int, source: str, stage: str, seen: Look, pipeline: Pipeline) -> str:
    """Digest of the data that a run of the year would find; one that only takes in what has landed does not change it.

    So a run that failed is not tried again before something else arrives. An earlier delivery that was put back makes a
    state that was there before into another one, until it is taken in.
    """
    settings, store = pipeline.settings, Store(pipeline.settings.home)
    earlier = [y for y in pipeline.register.school_years if y <= year]
    folder = settings.landing / str(year)
    landed = {f"{year} {entry.sha256}" for path, entry in seen.files.items() if Path(path).is_relative_to(folder)}
    stored = {f"{y} {s.sha256}" for y in earlier for s in store.snapshots(y)}
    published = [f"{r.year} {r.identity}" for r in releases(settings.home) if r.year < year and r.source == source]
    before = TakenBefore(store.snapshots(year))
    put_back = {
        f"{arrival.name} after {before.count}"
        for arrival in scan(settings.landing, year, pipeline.contracts).arrivals
        if (entry := seen.files.get(str(arrival.path)))
        and before.is_put_back(arrival.collection, arrival.stage, arrival.name, entry.sha256)
    }
    state = json.dumps([year, source, stage, sorted(landed | stored | put_back), published])
    return f"{source}-{year}-{stage}-{hashlib.sha256(state.encode()).hexdigest()[:20]}"
