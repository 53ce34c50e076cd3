"""Looking over the installation: `doctor`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from orchestration.commands.shared import Home, Raw, settings_of
from orchestration.texts import printable


def doctor(
    home: Home = None,
    raw: Raw = None,
    deep: Annotated[bool, typer.Option("--deep", help="Read every byte of store and releases; start dbt.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Check installation, folders and machine; say what to do. Exit status 1 if a check failed."""
    from dataclasses import asdict

    from orchestration.doctor.examining import examine
    from orchestration.doctor.findings import Site

    settings = settings_of(home, raw)
    found = examine(Site(settings, is_deep=deep))
    bad = [finding for finding in found if finding.state == "failed"]
    if as_json:
        head = {"home": str(settings.home), "landing": str(settings.landing), "deep": deep, "failed": len(bad)}
        print(json.dumps(head | {"checks": [asdict(finding) for finding in found]}, indent=1, ensure_ascii=False))
    else:
        for finding in found:
            advice = f"; {finding.advice}" if finding.advice else ""
            print(printable(f"{finding.state:<8} {finding.check:<12} {finding.says}{advice}"))
    if bad:
        raise typer.Exit(1)
