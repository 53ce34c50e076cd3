"""What the commands share: folders and register from options, and printing.

Belongs here: nothing that one command alone needs. Does not: any rule, any heavy import at the top.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.errors import InputError

if TYPE_CHECKING:
    from orchestration.intake.contracts import Contract
    from orchestration.policy import Register
    from orchestration.settings import Settings


class Source(StrEnum):
    student = "student"
    hub = "hub"


class Stage(StrEnum):
    preliminary = "preliminary"
    official = "official"


Raw = Annotated[
    Path | None, typer.Option(help="Landing folder, or a folder with landing/ in it. Default: raw/landing.")
]
Home = Annotated[
    Path | None, typer.Option(help="Home folder. Default: ACCOUNTABILITY_HOME, else home/ in the project.")
]
Year = Annotated[int, typer.Option(help="School year by its spring: 2025 for 2024-25.")]


def settings_of(home: Path | None, raw: Path | None = None) -> Settings:
    """Settings with the command's folders."""
    from orchestration.settings import Settings

    given: dict[str, Any] = {"home": home.resolve()} if home else {}
    if raw:
        if not raw.is_dir():
            raise InputError(f"--raw {raw}: no such folder")
        given["landing"] = (raw / "landing" if (raw / "landing").is_dir() else raw).resolve()
    settings = Settings(**given)
    return settings.model_copy(update={"home": settings.home.resolve(), "landing": settings.landing.resolve()})


def load(raw: Path | None, home: Path | None) -> tuple[Settings, dict[str, Contract], Register]:
    """Settings, contracts and policy register: checked before any data is read."""
    from orchestration.intake.contracts import load_contracts
    from orchestration.policy import load_register

    settings = settings_of(home, raw)
    return settings, load_contracts(settings.contracts), load_register(settings.policy)


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


NUMBERS = ("delivered", "accepted", "quarantined", "repaired", "rows", "seconds", "MB")
"""Columns of tables that hold numbers."""


def table(title: str, header: list[str], rows: list[list[str]]) -> None:
    """A table: drawn on a terminal, plain aligned lines otherwise."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else 200)
    drawn = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for name in header:
        drawn.add_column(
            name,
            justify="right"
            if name in ("delivered", "accepted", "quarantined", "repaired", "rows", "seconds", "MB")
            else "left",
            no_wrap=True,
        )
    for row in rows:
        drawn.add_row(*row)
    console.print(drawn)
