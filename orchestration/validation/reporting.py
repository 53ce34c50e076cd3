"""The report of a gate: JSON for programs, a page for people, a workbook of failing rows for whoever must fix them.

Belongs here: form. Does not: judgement. Nothing of a row becomes a formula, a link or markup.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path

from orchestration.validation.running import CRASHED, FAILED, NOT_COMPARED, PASSED, ROWS_KEPT, Outcome
from orchestration.workbooks import put_text

REPORT = "report.json"
WORKBOOK = "failing_rows.xlsx"
PAGE = "report.html"
WORDS = {PASSED: "passed", FAILED: "failed", CRASHED: "could not be run", NOT_COMPARED: "not compared"}
_TITLE = 31
"""Characters that the name of a sheet may have."""
_SHOWN = 5
"""Failing rows shown on the page; the workbook has the others."""
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:72rem;padding:1rem;color:#1a1a1a;background:#fff}
table{border-collapse:collapse;width:100%;margin:0 0 1.5rem}caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{border:1px solid #767676;padding:.3rem .5rem;text-align:left;vertical-align:top}thead th{background:#eee}
.failed,.crashed{background:#fde7e7}.warning{background:#fff4d6}.word{font-weight:600;white-space:nowrap}
small{color:#444}.wide{overflow-x:auto}
"""


def write_report(folder: Path, *, room: str, source: str, year: int, passed: bool, outcomes: Sequence[Outcome]) -> None:
    """Write the three files."""
    head = {"room": room, "source": source, "year": year, "passed": passed}
    content = head | {"outcomes": [asdict(outcome) for outcome in outcomes]}
    (folder / REPORT).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    _workbook(folder / WORKBOOK, outcomes)
    page = "\n".join(_page(room, source, year, passed, outcomes)) + "\n"
    (folder / PAGE).write_text(page, encoding="utf-8")


def _workbook(path: Path, outcomes: Sequence[Outcome]) -> None:
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    def cells(sheet: object, values: Sequence[object]) -> list[object]:
        """Cells that hold text as text: a name that begins with = + - or @ is no formula."""
        found = []
        for value in values:
            found.append(WriteOnlyCell(sheet, None if isinstance(value, str) else value))
            if isinstance(value, str):
                put_text(found[-1], value)
        return found

    failed = [outcome for outcome in outcomes if not outcome.held]
    book = Workbook(write_only=True)
    sheet = book.create_sheet("summary")
    sheet.append(
        ["sheet", "table", "expectation", "severity", "who fixes it", "failing rows", "what was expected", "seen"]
    )
    titles = _titles(failed)
    for outcome, title in zip(failed, titles, strict=True):
        row = [title if outcome.rows else None, outcome.table, outcome.name, outcome.severity, outcome.owner]
        sheet.append(cells(sheet, [*row, outcome.failing, outcome.says, outcome.observed]))
    for outcome, title in zip(failed, titles, strict=True):
        if outcome.rows:
            sheet = book.create_sheet(title)
            sheet.append(cells(sheet, outcome.columns))
            for values in outcome.rows:
                sheet.append(cells(sheet, values))
    book.save(path)


def _titles(outcomes: Sequence[Outcome]) -> list[str]:
    """Names of sheets: a number keeps them apart where Excel cuts them off."""
    return [
        f"{number} {re.sub(r'[^A-Za-z0-9_ ]', ' ', outcome.name)}"[:_TITLE]
        for number, outcome in enumerate(outcomes, 1)
    ]


def _page(room: str, source: str, year: int, passed: bool, outcomes: Sequence[Outcome]) -> Iterator[str]:
    title = f"Gate after {room}, {source} source, {year}"
    yield '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>"
    yield f"<h1>{escape(title)}</h1>"
    yield f"<p class=word>{'The run may go on.' if passed else 'The run stops here.'}</p>"
    tables = list(dict.fromkeys(outcome.table for outcome in outcomes))
    yield from _summary(tables, outcomes)
    for table in tables:
        yield f'<section aria-labelledby="{escape(table)}"><h2 id="{escape(table)}">{escape(table)}</h2>'
        yield f"<div class=wide><table><caption>What is expected of {escape(table)}</caption><thead><tr>"
        yield "".join(
            f'<th scope="col">{head}</th>' for head in ("Result", "Expected", "Seen", "If it fails", "Who fixes it")
        )
        yield "</tr></thead><tbody>"
        for outcome in outcomes:
            if outcome.table == table:
                yield from _row(outcome)
        yield "</tbody></table></div></section>"
    yield "</main></body></html>"


def _summary(tables: Sequence[str], outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield "<div class=wide><table><caption>Summary</caption><thead><tr>"
    heads = ("Table", "Expectations", "Passed", "Critical failures", "Warnings", "Not compared")
    yield "".join(f'<th scope="col">{head}</th>' for head in heads) + "</tr></thead><tbody>"
    for table in tables:
        own = [outcome for outcome in outcomes if outcome.table == table]
        stops, held = sum(o.stops for o in own), sum(o.held for o in own)
        noted = sum(o.status == NOT_COMPARED for o in own)
        counts = (len(own), held - noted, stops, len(own) - held - stops, noted)
        cells = "".join(f"<td>{count}</td>" for count in counts)
        yield f'<tr><th scope="row"><a href="#{escape(table)}">{escape(table)}</a></th>{cells}</tr>'
    yield "</tbody></table></div>"


def _row(outcome: Outcome) -> Iterator[str]:
    kind = "" if outcome.held else outcome.status if outcome.stops else "warning"
    checked = f" <small>({outcome.checked} looked at)</small>" if outcome.checked else ""
    yield f"<tr class='{kind}'><td class=word>{WORDS[outcome.status]}</td>"
    yield f"<td>{escape(outcome.says)}<br><small>{escape(outcome.name)}, {escape(outcome.rule)}</small></td>"
    yield f"<td>{escape(outcome.observed)}{checked}"
    if outcome.rows:
        shown = outcome.rows[:_SHOWN]
        yield f"<table><caption>{len(shown)} of {outcome.failing} failing rows</caption><thead><tr>"
        yield "".join(f'<th scope="col">{escape(column)}</th>' for column in outcome.columns) + "</tr></thead><tbody>"
        for values in shown:
            yield "<tr>" + "".join(f"<td>{escape('' if v is None else str(v))}</td>" for v in values) + "</tr>"
        yield "</tbody></table>"
        if outcome.failing > _SHOWN:
            yield f"<p>The first {min(outcome.failing, ROWS_KEPT)} are in {WORKBOOK}.</p>"
    told = "the run stops" if outcome.severity == "critical" else "a warning"
    yield f"</td><td>{told}</td><td>{escape(outcome.owner)}</td></tr>"
