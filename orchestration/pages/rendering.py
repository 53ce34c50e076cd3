"""Pages as bytes: templates filled with autoescape, the search list as a script, the fixed files.

Belongs here: jinja2 and the form of files. Does not: what is on a page (`organisation`, `overview`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from orchestration.pages import charts, overview
from orchestration.pages.organisation import organisation_page
from orchestration.pages.reading import Source
from orchestration.pages.wording import Cell, cell, label

HERE = Path(__file__).parent
ASSETS = ("style.css", "search.js", "page.js")
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""What may not stand in a script as it is: it could end the script, or a line of it."""


@dataclass(frozen=True)
class Entry:
    """An organisation in a list."""

    code: str
    name: str
    org_type: str
    level: str
    above: str
    classification: str
    reason: str
    percentile: Cell


def files(source: Source) -> Iterator[tuple[str, bytes]]:
    """Path within the site and content of every file but the manifest of the site."""
    entries = _entries(source)
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.globals["site"] = _site(source)
    for name in ASSETS:
        yield f"assets/{name}", (HERE / "static" / name).read_bytes()
    yield "assets/organisations.js", search_list(entries).encode()
    bands, regions = overview.by_percentile(source), overview.by_region(source)
    index = {
        "root": "",
        "count": len(entries),
        "levels": overview.by_level(source),
        "bands": bands,
        "bands_chart": charts.upright(bands),
        "regions": regions,
        "regions_chart": charts.lying(regions),
    }
    yield "index.html", environment.get_template("index.html").render(index).encode()
    yield "all.html", environment.get_template("all.html").render(root="", entries=_in_districts(entries)).encode()
    template = environment.get_template("organisation.html")
    below: dict[str, list[Entry]] = {}
    for entry in entries.values():
        below.setdefault(entry.above, []).append(entry)
    for code in entries:
        page = organisation_page(code, source)
        content = {
            "root": "../",
            "page": page,
            "about": _about(page.row),
            "above": _above(code, entries),
            "schools": below.get(code, []),
            "trend_chart": charts.trend(page.trend),
        }
        yield f"org/{code}.html", template.render(content).encode()


def search_list(entries: Mapping[str, Entry]) -> str:
    """A script that sets the list which search.js reads: code, name, level, district, classification."""
    rows = [
        [e.code, e.name, e.level, entries[e.above].name if e.org_type == "school" and e.above in entries else "",
         e.classification]
        for e in entries.values()
    ]  # fmt: skip
    return f'"use strict";\nwindow.ORGANISATIONS = {script(rows)};\n'


def script(value: Any) -> str:
    """A value as JSON that may stand in a script, whatever is in it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return "".join(_UNSAFE.get(letter, letter) for letter in text)


def _site(source: Source) -> dict[str, Any]:
    release = source.release
    return {
        "year": release.year,
        "release": release.name,
        "stage": release.stage,
        "is_public": source.is_public,
        "manifest_sha256": release.sha256,
        "word": source.word,
        "minimum": source.minimum if source.is_public else None,
    }


def _entries(source: Source) -> dict[str, Entry]:
    state = next((c for c, row in source.organisations.items() if row["org_type"] == "state"), "")
    found = {}
    for code, row in source.organisations.items():
        determination = source.determinations.get(code, {})
        above = {"school": row["district_code"], "district": state}.get(row["org_type"], "")
        found[code] = Entry(
            code,
            row["org_name"],
            row["org_type"],
            label(row["org_type"]),
            above,
            determination.get("overall_classification") or label(determination.get("status")) or overview.NONE,
            determination.get("reason") or "",
            cell(determination.get("percentile"), determination.get("status"), source.word),
        )
    return found


def _in_districts(entries: Mapping[str, Entry]) -> list[Entry]:
    """State, districts and their schools, a school directly below its district."""
    order = {"state": 0, "district": 1}
    return sorted(
        entries.values(),
        key=lambda e: (
            e.org_type != "state",
            e.code if e.org_type == "district" else e.above,
            order.get(e.org_type, 2),
            e.code,
        ),
    )


def _above(code: str, entries: Mapping[str, Entry]) -> list[Entry]:
    found: list[Entry] = []
    while (above := entries[code].above) in entries and above != code:
        code = above
        found.insert(0, entries[code])
    return found


def _about(row: Mapping[str, Any]) -> list[str]:
    """Where it is, which grades, and its Title I status."""
    place = ", ".join(dict.fromkeys(word for word in (row["town"], row["county"]) if word))
    grades = f"grades {row['lowest_grade']} to {row['highest_grade']}" if row["lowest_grade"] else ""
    return [word for word in (place, grades, row["title_i"]) if word]
