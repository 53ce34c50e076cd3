"""Explaining a determination: `explain`."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import Annotated

import typer

from orchestration.commands.shared import Home, Year, settings_of


class Form(StrEnum):
    text = "text"
    json = "json"
    html = "html"


def explain(
    year: Year,
    org: Annotated[str, typer.Option(help="Organisation code, 8 digits.")],
    indicator: Annotated[str | None, typer.Option(help="One indicator only, such as ela_achievement.")] = None,
    group: Annotated[str | None, typer.Option(help="One student group only, such as all_students.")] = None,
    release: Annotated[str, typer.Option(help="Name of a release; the one in force unless given.")] = "current",
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
    root = explanation(dossier, indicator, group)
    if form is Form.json:
        print(json.dumps(document(root, dossier), indent=1, ensure_ascii=False))
    elif form is Form.html:
        found = dossier.release
        sys.stdout.write(page(root, f"{found.year}/{found.name}", found.sha256))
    else:
        for line in lines.text(root):
            print(line)
