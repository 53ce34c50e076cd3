"""Running a year and looking at the store: `run`, `status`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.commands.shared import Home, Raw, Source, Stage, Year, load, say, table

if TYPE_CHECKING:
    from orchestration.automation.annual import AnnualRun
    from orchestration.intake.contracts import Contract
    from orchestration.intake.store import Snapshot
    from orchestration.policy import Register
    from orchestration.settings import Settings


def run(
    year: Year,
    source: Annotated[Source, typer.Option(help="Student records, or the hub's public aggregates.")] = Source.student,
    raw: Raw = None,
    home: Home = None,
    stage: Annotated[Stage, typer.Option(help="An official run uses official deliveries only.")] = Stage.official,
    from_release: Annotated[
        str | None, typer.Option(metavar="RELEASE", help="Rebuild this release aside and compare; publishes nothing.")
    ] = None,
) -> None:
    """Make the annual run of a school year, as far as the pipeline reaches."""
    from orchestration.intake.status import check_year

    settings, contracts, register = load(raw, home)
    check_year(year, register)
    if from_release:
        _rebuild(year, from_release, settings, contracts, register)
        return
    say(f"Annual run of {year} ({source.value} source, {stage.value}) …")
    from orchestration.indicators.dbt_running import reading_ahead
    from orchestration.processes import never_garbage
    from orchestration.validation.workers import workers_ready

    with reading_ahead(), workers_ready():  # while this process loads Dagster
        with never_garbage():
            from orchestration.automation import annual
            from orchestration.automation.staleness import Pipeline
            from orchestration.definitions import build_defs
            from orchestration.publication.ahead import withheld_ahead
            from orchestration.tables import folder_of

            definitions = build_defs(settings)
        pipeline = Pipeline(settings, contracts, register)
        counts = folder_of(settings.home, "indicators", source.value, year)
        with withheld_ahead(counts, register, year):
            done = annual.run(year, source.value, stage.value, definitions=definitions, pipeline=pipeline)
    _print_run(done, source.value, stage.value, settings)
    if not done.result.succeeded:
        raise typer.Exit(1)


def status(
    raw: Raw = None,
    home: Home = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Show what each year has and lacks, its releases, and what is stale and why."""
    from orchestration.automation.staleness import Pipeline
    from orchestration.automation.standing import standing

    found = standing(Pipeline(*load(raw, home)))
    if as_json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
    else:
        _print_status(found)


def _rebuild(year: int, name: str, settings: Settings, contracts: dict[str, Contract], register: Register) -> None:
    """Make a release's tables again from its snapshots; exit status 1 if a byte differs."""
    from orchestration.automation.rebuilding import rebuild
    from orchestration.releases import find

    release = find(settings.home, name, year)
    say(f"Rebuilding {release.year}/{release.name} from its snapshots …")
    done = rebuild(release, settings=settings, contracts=contracts, register=register)
    for file in done.different:
        print(f"other bytes: {file}")
    if done.code:
        print(f"code changed since the release in {len(done.code)} files: {', '.join(done.code[:5])}")
    print(f"{len(done.same)} of {len(done.same) + len(done.different)} files have the same bytes")
    if done.different:
        raise typer.Exit(1)


def _print_run(done: AnnualRun, source: str, stage: str, settings: Settings) -> None:
    for past in done.earlier:
        total = sum(s.accepted for s in past.snapshots)
        state = "up to date" if past.up_to_date else f"run, since {past.why}"
        faults = f"; {len(past.faults)} faults, see below" if past.faults else ""
        print(f"{past.year}: {total:,} rows in force, {state}{faults}")
    table(
        f"{done.result.year}: deliveries in force",
        ["collection", "part", "stage", "delivered", "accepted", "quarantined", "repaired", "sha256"],
        [_snapshot_row(s) for s in done.result.snapshots],
    )
    table(
        f"{done.result.year}: steps ({done.result.why or 'nothing had changed'})",
        ["step", "seconds", "MB", "rows", "made", "because"],
        [_step_row(step) for step in done.result.steps if _is_told(step)],
    )
    print(f"Results: {settings.home / 'snapshots' / str(done.result.year)} (accepted and quarantined rows)")
    if done.result.succeeded:
        _print_tables(done.result.year, source, settings)
        _print_release(done.result.year, source, stage, settings)
    print(f"Record:  {done.result.record}")
    for past in done.earlier:
        for fault in past.faults:
            print(f"warning: {past.year}: {fault}", file=sys.stderr)
    for warning in done.result.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    for fault in done.result.faults:
        print(f"error: {fault}", file=sys.stderr)


def _is_told(step: dict[str, Any]) -> bool:
    """A step that made something, failed, or took its time."""
    return bool(step["made"]) or step["outcome"] != "succeeded" or step["seconds"] >= 1


def _step_row(step: dict[str, Any]) -> list[str]:
    return [
        step["step"],
        f"{step['seconds']:.1f}",
        f"{step['peak_bytes'] / 2**20:,.0f}" if step["peak_bytes"] else "",
        f"{step['rows']:,}" if step["rows"] is not None else "",
        step["outcome"] if step["outcome"] != "succeeded" else "yes" if step["made"] else "no",
        step["why"],
    ]


def _print_tables(year: int, source: str, settings: Settings) -> None:
    """The folders of the tables with their rows, and how many organisations each category has."""
    from orchestration.tables import folder_of, record_of

    for room in ("indicators", "determinations", "assistance"):
        folder = folder_of(settings.home, room, source, year)
        if record := record_of(folder):
            print(f"Tables:  {folder} ({', '.join(f'{name} {rows:,}' for name, rows in record['rows'].items())})")
            if room == "determinations":
                _print_categories(year, folder)


def _print_release(year: int, source: str, stage: str, settings: Settings) -> None:
    from orchestration.releases import newest

    if release := newest(settings.home, year, source, stage):
        print(f"Release: {release.folder}{' (in force)' if release.is_current else ''}")


def _print_categories(year: int, folder: Path) -> None:
    from collections import Counter

    from orchestration.tables import read_table

    columns = ["org_type", "overall_classification", "reason"]
    rows = read_table(folder / "determinations.parquet", columns=columns).to_pylist()
    counts = Counter(tuple(row.values()) for row in rows if row["overall_classification"])
    if counts:
        cells = [[*words, f"{count:,}"] for words, count in sorted(counts.items())]
        table(f"{year}: determinations", ["level", "classification", "reason", "organisations"], cells)


def _snapshot_row(s: Snapshot) -> list[str]:
    return [
        s.collection,
        s.part,
        s.stage,
        f"{s.rows:,}",
        f"{s.accepted:,}",
        f"{s.quarantined:,}",
        f"{sum(s.repairs.values()):,}",
        s.sha256[:12],
    ]


def _print_status(found: dict[str, Any]) -> None:
    print(f"home    {found['home']}\nlanding {found['landing']}")
    if not found["years"]:
        print("Nothing delivered yet. `make run` or `accountability generate` makes a fictional state to begin with.")
    for year, state in found["years"].items():
        rows = [
            [
                e["collection"],
                e["part"],
                e["stage"],
                f"{e['rows']:,}",
                f"{e['quarantined']:,}",
                e["sha256"][:12],
                e["received"],
                "newer" if e["newer_than_last_run"] else "",
            ]
            for e in state["collections"]
        ]
        table(
            year,
            ["collection", "part", "stage", "rows", "quarantined", "sha256", "received", "since last run"],
            rows,
        )
        for source, names in state["lacking"].items():
            if names:
                print(f"{year} lacks ({source}): {', '.join(names)}")
        for entry in state["arrived"]:
            print(f"{year} arrived: {entry['file']}: {entry['state']}")
        for line in state["unrecognised"]:
            print(f"{year} not recognised: {line}")
        names = [f"{r['name']}{' (in force)' if r['in_force'] else ''}" for r in state["releases"]]
        print(f"{year} releases: {', '.join(names) or 'none'}")
        for source, reasons in state["stale"].items():
            why = [*reasons["inputs"], *reasons["rules"]]
            print(f"{year} {source}: {'stale: ' + '; '.join(why) if why else 'up to date'}")
        last = state["last_run"]
        print(
            f"{year} last run: "
            + (
                f"{last['ended'] or last['started']} {last['source']} {last['stage']} {last['state']}"
                if last
                else "none"
            )
        )
    for line in found["strays"]:
        print(line)
