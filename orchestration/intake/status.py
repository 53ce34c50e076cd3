"""What each year has, lacks, and has newer than its last run. Reads only; takes no lock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestration.errors import InputError
from orchestration.intake.contracts import Contract
from orchestration.intake.digests import read_digests
from orchestration.intake.landing import landed_years, scan
from orchestration.intake.store import Snapshot, Store, TakenBefore
from orchestration.policy import Register
from orchestration.processes import is_alive
from orchestration.settings import Settings
from orchestration.texts import printable


def status(settings: Settings, contracts: Mapping[str, Contract], register: Register) -> dict[str, Any]:
    """The store and the landing folder by year, as plain data (the shape of `accountability status --json`).

    years -> {collections: [{collection, part, stage, seq, sha256, rows, accepted, quarantined, received,
    newer_than_last_run}], lacking: {source: [names]}, arrived: [{file, state}], unrecognised: [lines],
    last_run: {...} or null}.
    """
    store = Store(settings.home)
    manifest = settings.home / "manifest"
    stored = [int(p.name) for p in manifest.iterdir()] if manifest.is_dir() else []
    years = sorted({*stored, *landed_years(settings.landing)})
    return {
        "home": str(settings.home),
        "landing": str(settings.landing),
        "years": {str(year): _year(year, store, settings, contracts, register) for year in years},
        "strays": [f"{name}: lies outside a year folder; move it to landing/<year>/" for name in _strays(settings)],
    }


def _year(
    year: int, store: Store, settings: Settings, contracts: Mapping[str, Contract], register: Register
) -> dict[str, Any]:
    snapshots = store.snapshots(year)
    in_force = list({(s.collection, s.part, s.stage): s for s in snapshots}.values())
    runs = store.runs(year)
    over = [run for run in runs if "snapshots" in run]
    used = {s["seq"] for s in over[-1]["snapshots"]} if over else set()
    found = scan(settings.landing, year, contracts)
    known = year in register.school_years
    calendar = [] if known else [f"{year}: is not a school year of the calendar (policy_calendar.csv)"]
    return {
        "collections": [_entry(s, newer=bool(over) and s.seq not in used) for s in sorted(in_force, key=_place)],
        "lacking": _lacking(year, in_force, contracts, register),
        "arrived": _arrived(year, found.arrivals, snapshots, store),
        "unrecognised": [*calendar, *found.problems],
        "last_run": _last_run(runs[-1]) if runs else None,
    }


def _last_run(record: dict[str, Any]) -> dict[str, Any]:
    """How the last run stands; one whose process is gone has not ended, it was killed."""
    state = record["state"]
    if state in ("waiting", "running") and not is_alive(record["process"]):
        state = "killed"
    told = ("source", "stage", "started", "ended", "succeeded", "faults", "release")
    return {"state": state, **{name: record.get(name) for name in told}}


def _place(snapshot: Snapshot) -> tuple[str, str, str]:
    return snapshot.collection, snapshot.part, snapshot.stage


def _entry(s: Snapshot, *, newer: bool) -> dict[str, Any]:
    return {
        "collection": s.collection,
        "part": s.part,
        "stage": s.stage,
        "seq": s.seq,
        "sha256": s.sha256,
        "rows": s.rows,
        "accepted": s.accepted,
        "quarantined": s.quarantined,
        "received": s.received,
        "newer_than_last_run": newer,
    }


def _lacking(
    year: int, in_force: list[Snapshot], contracts: Mapping[str, Contract], register: Register
) -> dict[str, list[str]]:
    """Required parts that a year has nothing of, by source; a source of which nothing is there is not listed."""
    present = {(s.collection, s.part) for s in in_force}
    begun = {contracts[s.collection].source for s in in_force if s.collection in contracts}
    return {
        source: [
            f"{c.collection} {part}".strip()
            for c in contracts.values()
            if c.source == source and not register.suspended(year, c.collection)
            for part in c.required_parts
            if (c.collection, part) not in present
        ]
        for source in sorted(begun)
    }


def _arrived(year: int, arrivals: tuple[Any, ...], snapshots: list[Snapshot], store: Store) -> list[dict[str, str]]:
    """Files in the landing folder that are not in the store: new, or refused with the reason."""
    before = TakenBefore(snapshots)
    refused, remembered = store.refusals(year), read_digests(store.home)
    entries = []
    for arrival in arrivals:
        try:
            digest = remembered.of(arrival.path)
        except OSError as error:
            entries.append({"file": arrival.name, "state": f"cannot be read ({error.strerror})"})
            continue
        if not before.has(arrival.collection, arrival.stage, arrival.name, digest):
            state = f"refused: {refused[digest]['reason']}" if digest in refused else "new, not taken in yet"
            entries.append({"file": arrival.name, "state": state})
    return entries


def _strays(settings: Settings) -> list[str]:
    if not settings.landing.is_dir():
        return []
    return sorted(
        printable(p.name)
        for p in settings.landing.iterdir()
        if p.is_file() and not p.name.startswith((".", "_", "README"))
    )


def check_year(year: int, register: Register) -> None:
    """Raise InputError unless `year` is in the calendar of the policy register."""
    if year not in register.school_years:
        first, last = register.school_years[0], register.school_years[-1]
        raise InputError(
            f"--year {year}: is not a school year of the calendar ({first}-{last}); "
            "add its rows to policy_calendar.csv first"
        )
