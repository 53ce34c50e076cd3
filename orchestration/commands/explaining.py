"""Explaining a determination: `explain`."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.commands.shared import Home, Year, load, settings_of
from orchestration.errors import InputError

if TYPE_CHECKING:
    from orchestration.explanation.reading import Dossier

SHOWN = 100
"""Students of each kind that a listing of records prints unless all are asked for."""


class Form(StrEnum):
    text = "text"
    json = "json"
    html = "html"


def explain(
    year: Year,
    org: Annotated[str, typer.Option(help="Organisation code, 8 digits.")],
    indicator: Annotated[str | None, typer.Option(help="One indicator only, such as ela_achievement.")] = None,
    group: Annotated[str | None, typer.Option(help="One student group only, such as all_students.")] = None,
    gradespan: Annotated[str | None, typer.Option(help="With --records: non_high or high.")] = None,
    release: Annotated[str, typer.Option(help="Name of a release; the one in force unless given.")] = "current",
    records: Annotated[
        bool, typer.Option("--records", help="The student rows behind the figure; only in the private home.")
    ] = False,
    all_records: Annotated[
        bool, typer.Option("--all-records", help=f"Every row, not the first {SHOWN}; JSON always has all.")
    ] = False,
    form: Annotated[Form, typer.Option("--format", help="Lines of text, JSON, or a page.")] = Form.text,
    home: Home = None,
) -> None:
    """Why an organisation is in its category: the whole chain, from the trace of a release."""
    from orchestration.explanation import text as lines
    from orchestration.explanation.page import page
    from orchestration.explanation.reading import Dossier
    from orchestration.explanation.tree import document, explanation
    from orchestration.releases import find

    dossier = Dossier(find(settings_of(home).home, release, year), org)
    if records or all_records:
        _print_records(dossier, indicator, group, gradespan, form, home, all_records=all_records)
        return
    if gradespan:
        raise InputError("--gradespan: only together with --records")
    root = explanation(dossier, indicator, group)
    if form is Form.json:
        print(json.dumps(document(dossier, tree=root), indent=1, ensure_ascii=False))
    elif form is Form.html:
        found = dossier.release
        sys.stdout.write(page(root, f"{found.year}/{found.name}", found.sha256))
    else:
        for line in lines.text(root):
            print(line)


def _print_records(
    dossier: Dossier,
    indicator: str | None,
    group: str | None,
    gradespan: str | None,
    form: Form,
    home: Home,
    *,
    all_records: bool,
) -> None:
    """The student rows behind one figure as text or JSON."""
    from orchestration.automation.record_listing import records_behind
    from orchestration.explanation import records
    from orchestration.explanation.records_text import text
    from orchestration.explanation.tree import document

    if form is Form.html:
        raise InputError("--format html: records are printed as text or json")
    figure = records.figure_asked(dossier, indicator, group, gradespan)
    settings, contracts, register = load(None, home)
    limit = None if all_records or form is Form.json else SHOWN
    found = records_behind(dossier, figure, settings=settings, contracts=contracts, register=register, limit=limit)
    if form is Form.json:
        print(json.dumps(document(dossier, records=records.document(found)), indent=1, ensure_ascii=False))
    else:
        for line in text(found, dossier):
            print(line)
