"""Holding the arithmetic against published figures: `verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestration.texts import printable


def verify(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Reports or cases as JSON, or the hub's classifications as CSV."),
    ],
) -> None:
    """Recompute every figure of published reports, cases or classifications; list each that differs."""
    from orchestration.determinations.verify import is_reproduced, summary
    from orchestration.determinations.verify import verify as recompute
    from orchestration.policy import load_register
    from orchestration.settings import Settings

    figures = recompute(files, load_register(Settings().policy))
    for line in summary(figures):
        print(printable(line))
    if not is_reproduced(figures):
        raise typer.Exit(1)
