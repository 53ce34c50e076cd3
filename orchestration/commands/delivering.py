"""Getting deliveries: `generate` makes a fictional state, `pull` fetches the hub."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.commands.shared import Home, Raw, Year, load, say, table

if TYPE_CHECKING:
    from orchestration.intake.hub import PulledDataset


class FileFormat(StrEnum):
    csv = "csv"
    parquet = "parquet"


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

    _, contracts, _ = load(None, None)
    files = synthetic.generate(
        out,
        students=students,
        years=_year_range(years),
        seed=seed,
        contracts=contracts,
        file_format=file_format.value,
        defects=defects,
        progress=say,
    )
    say(f"{len(files)} deliveries, {sum(f.rows for f in files):,} rows below {out}")


def pull(
    year: Year,
    base_url: Annotated[str | None, typer.Option(help="Address of the hub.")] = None,
    raw: Raw = None,
    home: Home = None,
) -> None:
    """Fetch the hub's data sets of a year into the landing folder."""
    from orchestration.intake import hub
    from orchestration.intake.status import check_year

    settings, contracts, register = load(raw, home)
    check_year(year, register)
    try:
        with _Progress() as progress:
            pulled = hub.pull(year, contracts, settings, base_url=base_url, progress=progress)
    except hub.PullError as error:
        _print_pulled(error.results, settings.landing / str(year))
        raise
    _print_pulled(pulled, settings.landing / str(year))


def _year_range(text: str) -> list[int]:
    first, _, last = text.partition("-")
    if not (first.isdigit() and (last.isdigit() or not last)) or int(last or first) < int(first):
        raise typer.BadParameter(f"'{text}' is neither a year nor a range such as 2023-2025", param_hint="--years")
    return list(range(int(first), int(last or first) + 1))


def _print_pulled(pulled: list[PulledDataset], folder: Path) -> None:
    rows = [[p.collection, p.dataset, f"{p.rows:,}", p.state, p.message or _shortened(p.drift, 2)] for p in pulled]
    table(f"Pulled into {folder}", ["collection", "data set", "rows", "state", "note"], rows)


def _shortened(notes: list[str], most: int) -> str:
    more = f" (and {len(notes) - most} more)" if len(notes) > most else ""
    return "; ".join(notes[:most]) + more


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
                say(f"{event.collection}: {event.received:,} of {event.total:,} rows")
            return
        if event.dataset not in self.tasks:
            self.tasks[event.dataset] = self.bars.add_task(event.collection, total=event.total)
        self.bars.update(self.tasks[event.dataset], completed=event.received)
