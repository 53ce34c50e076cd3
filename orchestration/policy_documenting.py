"""Writes docs/policy.md from the register: every parameter, its value by year, its standing and its source.

Belongs here: the page. Does not: reading and checking rows (`policy`), what a parameter means (the room that uses it).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from orchestration.policy import EVERY, ROOMS, PolicyRow, Register, citations, load_register, rule_texts
from orchestration.settings import Settings

MARKS = {"confirmed": "", "secondary": "†", "inferred": "*"}
NO_VALUE = "–"
HEAD = """# Policy

Made from `dbt_project/seeds/policy/` by `make docs`; do not edit. Every parameter of every rule, in the order of the
data. A value without a mark is read in an official text or report (confirmed); † is from a newspaper, public code or a
transcription (secondary); \\* is reasoned from published figures or chosen by this project (inferred).
A year without a row has –."""

Texts = Mapping[str, Mapping[str, str]]


def render(register: Register, texts: Texts, sources: Texts) -> str:
    """The page as Markdown: a section a room, a table a rule, a row a parameter, a column a policy year."""
    by_rule: dict[str, list[PolicyRow]] = {rule: [] for rule in texts}
    for row in register.rows:
        by_rule[row.rule_id].append(row)
    count = {status: sum(row.status == status for row in register.rows) for status in MARKS}
    lines = [HEAD, "", f"{len(register.rows)} rows: " + ", ".join(f"{n} {status}" for status, n in count.items()) + "."]
    for room in ROOMS:
        lines += ["", f"## {room.capitalize()}"]
        for rule, text in texts.items():
            if text["room"] == room and by_rule[rule]:
                lines += ["", f"### {rule}", "", text["sentence"], "", *_table(by_rule[rule])]
    cited = {row.citation_id for row in register.rows}
    lines += ["", "## Citations", "", "| citation | title | address |", "| --- | --- | --- |"]
    lines += [_line(row.values()) for name, row in sources.items() if name in cited]
    return "\n".join(lines) + "\n"


def _table(rows: list[PolicyRow]) -> list[str]:
    """Parameters as rows and the years of the rule as columns; citations by year only where they differ."""
    years = sorted({row.policy_year for row in rows}, key=lambda year: (year != EVERY, year))
    by_parameter: dict[str, dict[str, PolicyRow]] = {}
    for row in rows:
        by_parameter.setdefault(row.parameter, {})[row.policy_year] = row
    header = ("parameter", "unit", *("every year" if year == EVERY else year for year in years), "citations")
    lines = [_line(header), _line("---" for _ in header)]
    for parameter, of_years in by_parameter.items():
        values = (_value(of_years[year]) if year in of_years else NO_VALUE for year in years)
        units = dict.fromkeys(row.unit for row in of_years.values())
        lines.append(_line((f"`{parameter}`", ", ".join(units), *values, _sources(of_years))))
    return lines


def _value(row: PolicyRow) -> str:
    return row.value + MARKS[row.status]


def _sources(of_years: Mapping[str, PolicyRow]) -> str:
    by_source: dict[str, list[str]] = {}
    for year, row in sorted(of_years.items()):
        by_source.setdefault(row.citation_id, []).append(year)
    if len(by_source) == 1:
        return next(iter(by_source))
    return "; ".join(f"{name} ({', '.join(years)})" for name, years in by_source.items())


def _line(cells: Iterable[str]) -> str:
    """A row of a table; marks that Markdown would read are escaped, parameters stand in code already."""
    return "| " + " | ".join(cell.replace("|", "\\|").replace("*", "\\*") for cell in cells) + " |"


def main() -> None:
    """Write the page to the path given as the only argument."""
    folder = Settings().policy
    page = render(load_register(folder), rule_texts(folder), citations(folder))
    Path(sys.argv[1]).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
