"""`accountability …`: the command line. Parses, calls one function of a room, prints.

Exit status: 0 done, 1 the data or a check says no, 2 wrong usage. Every error is one line. Heavy imports stay inside
the command that needs them, so that --help answers at once.
"""

from __future__ import annotations

import json
import logging
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.errors import InputError

if TYPE_CHECKING:
    from orchestration.automation.annual import AnnualRun
    from orchestration.intake.contracts import Contract
    from orchestration.intake.hub import PulledDataset
    from orchestration.intake.store import Snapshot
    from orchestration.policy import Register
    from orchestration.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Massachusetts school and district accountability, from raw records to categories.",
)


class Source(StrEnum):
    student = "student"
    hub = "hub"


class Stage(StrEnum):
    preliminary = "preliminary"
    official = "official"


class FileFormat(StrEnum):
    csv = "csv"
    parquet = "parquet"


Raw = Annotated[
    Path | None, typer.Option(help="Landing folder, or a folder with landing/ in it. Default: raw/landing.")
]
Home = Annotated[
    Path | None, typer.Option(help="Home folder. Default: ACCOUNTABILITY_HOME, else home/ in the project.")
]
Year = Annotated[int, typer.Option(help="School year by its spring: 2025 for 2024-25.")]


@app.command()
def generate(
    out: Annotated[Path, typer.Option(help="Folder that gets a folder a year.")],
    students: Annotated[int, typer.Option(help="Students in each year.")] = 20_000,
    years: Annotated[str, typer.Option(help="A year or a range: 2023-2025.")] = "2023-2025",
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    file_format: Annotated[
        FileFormat, typer.Option("--format", help="File format of the deliveries.")
    ] = FileFormat.csv,
    defects: Annotated[int, typer.Option(help="Defects to plant; they are listed in _planted_defects.csv.")] = 0,
) -> None:
    """Make the deliveries of a fictional state."""
    from orchestration import synthetic

    _, contracts, _ = _load(None, None)
    files = synthetic.generate(
        out,
        students=students,
        years=_year_range(years),
        seed=seed,
        contracts=contracts,
        file_format=file_format.value,
        defects=defects,
        progress=_say,
    )
    _say(f"{len(files)} deliveries, {sum(f.rows for f in files):,} rows below {out}")


@app.command()
def pull(
    year: Year,
    base_url: Annotated[str | None, typer.Option(help="Address of the hub.")] = None,
    raw: Raw = None,
    home: Home = None,
) -> None:
    """Fetch the hub's data sets of a year into the landing folder."""
    from orchestration.intake import hub
    from orchestration.intake.status import check_year

    settings, contracts, register = _load(raw, home)
    check_year(year, register)
    try:
        with _Progress() as progress:
            pulled = hub.pull(year, contracts, settings, base_url=base_url, progress=progress)
    except hub.PullError as error:
        _print_pulled(error.results, settings.landing / str(year))
        raise
    _print_pulled(pulled, settings.landing / str(year))


@app.command()
def run(
    year: Year,
    source: Annotated[Source, typer.Option(help="Student records, or the hub's public aggregates.")] = Source.student,
    raw: Raw = None,
    home: Home = None,
    stage: Annotated[Stage, typer.Option(help="An official run uses official deliveries only.")] = Stage.official,
) -> None:
    """Make the annual run of a school year, as far as the pipeline reaches."""
    from orchestration.intake.status import check_year

    settings, contracts, register = _load(raw, home)
    check_year(year, register)
    _say(f"Annual run of {year} ({source.value} source, {stage.value}) …")
    from orchestration.automation import annual
    from orchestration.definitions import build_defs
    from orchestration.intake.landing import landed_years
    from orchestration.intake.taking_in import unrecognised

    problems = {y: unrecognised(y, settings, contracts) for y in (*landed_years(settings.landing), year)}
    done = annual.run(
        year,
        source.value,
        stage.value,
        definitions=build_defs(settings),
        settings=settings,
        register=register,
        problems=problems,
    )
    _print_run(done, source.value, settings)
    if not done.result.succeeded:
        raise typer.Exit(1)


@app.command()
def status(
    raw: Raw = None,
    home: Home = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Show what each year has, lacks, and has newer than its last run."""
    from orchestration.intake.status import status as read_status

    settings, contracts, register = _load(raw, home)
    found = read_status(settings, contracts, register)
    if as_json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
    else:
        _print_status(found)


@app.command()
def verify(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Published reports or indicator rows, as JSON.")
    ],
) -> None:
    """Recompute every figure of published reports or indicator rows; list each that differs."""
    from orchestration.determinations.verify import is_reproduced, summary
    from orchestration.determinations.verify import verify as recompute
    from orchestration.policy import load_register
    from orchestration.settings import Settings

    figures = recompute(files, load_register(Settings().policy))
    for line in summary(figures):
        print(line)
    if not is_reproduced(figures):
        raise typer.Exit(1)


def main() -> None:
    """Entry point of the installed command: an InputError becomes one line and exit status 1."""
    progress = logging.StreamHandler(sys.stderr)
    rooms = logging.getLogger("orchestration")
    rooms.addHandler(progress)
    rooms.setLevel(logging.INFO)
    try:
        app()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        print("error: interrupted; nothing half-written is in force", file=sys.stderr)
        raise SystemExit(130) from None


def _load(raw: Path | None, home: Path | None) -> tuple[Settings, dict[str, Contract], Register]:
    """Settings with the command's folders, contracts and policy register: checked before any data is read."""
    from orchestration.intake.contracts import load_contracts
    from orchestration.policy import load_register
    from orchestration.settings import Settings

    given: dict[str, Any] = {"home": home.resolve()} if home else {}
    if raw:
        if not raw.is_dir():
            raise InputError(f"--raw {raw}: no such folder")
        given["landing"] = (raw / "landing" if (raw / "landing").is_dir() else raw).resolve()
    settings = Settings(**given)
    settings = settings.model_copy(update={"home": settings.home.resolve(), "landing": settings.landing.resolve()})
    return settings, load_contracts(settings.contracts), load_register(settings.policy)


def _year_range(text: str) -> list[int]:
    first, _, last = text.partition("-")
    if not (first.isdigit() and (last.isdigit() or not last)) or int(last or first) < int(first):
        raise typer.BadParameter(f"'{text}' is neither a year nor a range such as 2023-2025", param_hint="--years")
    return list(range(int(first), int(last or first) + 1))


def _print_pulled(pulled: list[PulledDataset], folder: Path) -> None:
    rows = [[p.collection, p.dataset, f"{p.rows:,}", p.state, p.message or _shortened(p.drift, 2)] for p in pulled]
    _table(f"Pulled into {folder}", ["collection", "data set", "rows", "state", "note"], rows)


def _shortened(notes: list[str], most: int) -> str:
    more = f" (and {len(notes) - most} more)" if len(notes) > most else ""
    return "; ".join(notes[:most]) + more


def _print_run(done: AnnualRun, source: str, settings: Settings) -> None:
    for past in done.earlier:
        total = sum(s.accepted for s in past.snapshots)
        print(
            f"{past.year}: {total:,} rows in force" + (f"; {len(past.faults)} faults, see below" if past.faults else "")
        )
    _table(
        f"{done.result.year}: deliveries in force",
        ["collection", "part", "stage", "delivered", "accepted", "quarantined", "repaired", "sha256"],
        [_snapshot_row(s) for s in done.result.snapshots],
    )
    print(f"Results: {settings.home / 'snapshots' / str(done.result.year)} (accepted.parquet, quarantine.parquet)")
    if done.result.succeeded:
        _print_tables(done.result.year, source, settings)
    print(f"Record:  {done.record}")
    for past in done.earlier:
        for fault in past.faults:
            print(f"warning: {past.year}: {fault}", file=sys.stderr)
    for fault in done.result.faults:
        print(f"error: {fault}", file=sys.stderr)


def _print_tables(year: int, source: str, settings: Settings) -> None:
    """The folders of the tables with their rows, and how many organisations each category has."""
    from orchestration.tables import folder_of, record_of

    for room in ("indicators", "determinations"):
        folder = folder_of(settings.home, room, source, year)
        if record := record_of(folder):
            print(f"Tables:  {folder} ({', '.join(f'{name} {rows:,}' for name, rows in record['rows'].items())})")
            if room == "determinations":
                _print_categories(year, folder)


def _print_categories(year: int, folder: Path) -> None:
    from collections import Counter

    import pyarrow.parquet as pq

    columns = ["org_type", "overall_classification", "reason"]
    rows = pq.read_table(folder / "determinations.parquet", columns=columns).to_pylist()
    counts = Counter(tuple(row.values()) for row in rows if row["overall_classification"])
    if counts:
        cells = [[*words, f"{count:,}"] for words, count in sorted(counts.items())]
        _table(f"{year}: determinations", ["level", "classification", "reason", "organisations"], cells)


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
        _table(
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
        last = state["last_run"]
        print(
            f"{year} last run: "
            + (
                f"{last['ended']} {last['source']} {last['stage']} {'succeeded' if last['succeeded'] else 'failed'}"
                if last
                else "none"
            )
        )
    for line in found["strays"]:
        print(line)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _table(title: str, header: list[str], rows: list[list[str]]) -> None:
    """A table: drawn on a terminal, plain aligned lines otherwise."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for name in header:
        table.add_column(
            name,
            justify="right" if name in ("delivered", "accepted", "quarantined", "repaired", "rows") else "left",
            no_wrap=True,
        )
    for row in rows:
        table.add_row(*row)
    console.print(table)


class _Progress:
    """A bar a data set on a terminal, a plain line a finished data set otherwise."""

    def __enter__(self) -> _Progress:
        from rich.console import Console
        from rich.progress import Progress

        self.bars = Progress(console=Console(stderr=True), transient=True) if sys.stderr.isatty() else None
        self.tasks: dict[str, Any] = {}
        if self.bars:
            self.bars.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self.bars:
            self.bars.stop()

    def __call__(self, event: Any) -> None:
        if self.bars is None:
            if event.received >= event.total:
                _say(f"{event.collection}: {event.received:,} of {event.total:,} rows")
            return
        if event.dataset not in self.tasks:
            self.tasks[event.dataset] = self.bars.add_task(event.collection, total=event.total)
        self.bars.update(self.tasks[event.dataset], completed=event.received)
