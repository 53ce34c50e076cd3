"""What the page of one organisation shows, in the order of the page.

Belongs here: which figures of the tables stand where. Does not: the points table (`points_table`), markup (`templates`)
and the tree, which the room explanation makes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestration.determinations.report_columns import ALL_STUDENTS, LOWEST_PERFORMING
from orchestration.explanation.page import fragments
from orchestration.explanation.reading import Row
from orchestration.explanation.thresholds import checks_of, comparison, outcome_of
from orchestration.explanation.tree import explanation
from orchestration.pages.points_table import PointsTable, points_table
from orchestration.pages.reading import Source
from orchestration.pages.wording import DASH, NOTHING, Cell, cell, in_order, label

OPEN_TO = 1
"""Levels of the tree that are open at first."""
NAMED = ("designations", "recognition", "low_performing_groups", "low_participation_groups")


@dataclass(frozen=True)
class Figure:
    """An indicator's figure with its points and how they came."""

    label: str
    n: Cell
    value: Cell
    target: Cell
    points: Cell
    reason: str


@dataclass(frozen=True)
class Trend:
    """A year: annual and cumulative percentage, percentile, and what the organisation was determined to be."""

    year: int
    release: str
    annual: Cell
    cumulative: Cell
    percentile: Cell
    classification: str
    reason: str


@dataclass(frozen=True)
class Check:
    """One comparison of a test."""

    what: str
    figure: Cell
    threshold: Cell
    distance: str
    is_met: bool
    outcome: str


@dataclass(frozen=True)
class Ground:
    """A test, the comparisons that decided it, and how many more there are."""

    label: str
    is_met: bool
    checks: tuple[Check, ...]
    others: int
    impossible: int


@dataclass(frozen=True)
class OrganisationPage:
    """Everything on the page. `tree` and `rules` are markup, empty in the public variant."""

    code: str
    name: str
    kind: str
    row: Row
    determination: tuple[tuple[str, Cell], ...]
    classification: str
    reason: str
    points: PointsTable | None
    figures: tuple[tuple[str, tuple[Figure, ...]], ...]
    groups: tuple[tuple[str, Cell, Cell, Cell], ...]
    trend: tuple[Trend, ...]
    grounds: tuple[Ground, ...]
    only_school: str
    tree: str
    rules: str


def organisation_page(code: str, source: Source) -> OrganisationPage:
    """The page of an organisation that the release knows."""
    row = source.organisations[code]
    determination = source.determinations.get(code, {})
    tree = rules = only_school = ""
    grounds: tuple[Ground, ...] = ()
    if not source.is_public:
        dossier = source.library.dossier(code)
        tree, rules = fragments(explanation(dossier, is_whole=False), OPEN_TO)
        grounds = _grounds(dossier.steps, source)
        whole = next((s for s in dossier.steps.values() if s["kind"] == "classification" and not s["indicator"]), None)
        only_school = (whole or {"inputs": {}})["inputs"].get("only_school", "")
    return OrganisationPage(
        code,
        row["org_name"],
        label(row["org_type"]),
        row,
        tuple(_determination(code, determination, source)),
        determination.get("overall_classification") or label(determination.get("status")) or "No determination",
        determination.get("reason") or "",
        points_table(code, row["org_type"], source),
        _figures(code, source),
        _groups(code, source),
        _trend(code, source),
        grounds,
        only_school,
        tree,
        rules,
    )


def _determination(code: str, row: Mapping[str, Any], source: Source) -> list[tuple[str, Cell]]:
    """Label and cell of each line; a line of words that has none is left out."""
    status = row.get("status")
    figures = {name: cell(row.get(name), status, source.word) for name in ("percentile", "annual", "cumulative")}
    lines = [
        ("Overall classification", cell(row.get("overall_classification"), status, source.word)),
        ("Reason for classification", cell(row.get("reason"), status, source.word)),
        ("Accountability percentile", figures["percentile"]),
        ("Progress toward targets", cell(row.get("progress"), status, source.word)),
        ("Annual target percentage", _with_percent(figures["annual"])),
        ("Cumulative target percentage", _with_percent(figures["cumulative"])),
    ]
    if row.get("decided_by"):
        lines.append(("Decided by", Cell(label(row["decided_by"]))))
    if source.is_public and row.get("grounds_met"):
        lines.append(("Grounds met", Cell(label(row["grounds_met"]))))
    for name in NAMED:
        if words := row.get(name):
            said = "; ".join(source.groups.get(word, label(word)) for word in words.split("; "))
            lines.append((label(name), Cell(said)))
    if federal := source.federal.get(code):
        said = federal["designation"] if federal["designation"] not in (None, "", "-") else "None"
        lines.append(("Federal designation", Cell(said)))
    if eligible := source.eligibility.get(code):
        lines.append(
            ("Eligible for assistance", Cell(f"{eligible['region']} region, {label(eligible['change']).lower()}"))
        )
    return lines


def _with_percent(found: Cell) -> Cell:
    return Cell(f"{found.text} %") if found.kind == "figure" else found


def _figures(code: str, source: Source) -> tuple[tuple[str, tuple[Figure, ...]], ...]:
    """Caption to the indicators of each column, in the order of the report."""
    key = ("gradespan", "student_group", "indicator")
    points = {tuple(r[k] for k in key): r for r in source.tables.rows("indicator_points", code)}
    results = {tuple(r[k] for k in key): r for r in source.tables.rows("indicator_results", code)}
    targets = {tuple(r[k] for k in key): r for r in source.tables.rows("indicator_targets", code)}
    found = []
    for name, column in source.layout.items():
        group = ALL_STUDENTS if name.endswith("_all") else LOWEST_PERFORMING
        places = [
            (column.gradespan, group, i) for i in in_order(column.indicators) if (column.gradespan, group, i) in results
        ]
        lines = []
        for place in places:
            result, earned, target = results[place], points.get(place, {}), targets.get(place, {})
            lines.append(
                Figure(
                    label(place[2]),
                    cell(result["n"], result["status"], source.word),
                    cell(result["value"], result["status"], source.word),
                    cell(target.get("target"), "", source.word),
                    cell(earned.get("points"), earned.get("status"), source.word),
                    str(earned.get("reason") or "").removeprefix("-"),
                )
            )
        if lines:
            title = f"{source.groups.get(group, label(group))}, {label(column.gradespan).lower()}"
            found.append((title, tuple(lines)))
    return tuple(found)


def _groups(code: str, source: Source) -> tuple[tuple[str, Cell, Cell, Cell], ...]:
    """Label, percentile, annual and cumulative percentage of each student group, in the order of a report."""
    percentiles = {r["student_group"]: r for r in source.tables.rows("accountability_percentiles", code)}
    stages: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in source.tables.rows("target_percentages", code):
        stages[row["stage"]][row["student_group"]] = row
    found = []
    for group, name in source.groups.items():
        rows = (percentiles.get(group), stages["annual"].get(group), stages["cumulative"].get(group))
        if any(rows):
            values = zip(rows, ("percentile", "shown", "shown"), strict=True)
            cells = [cell(r[column], r["status"], source.word) if r else NOTHING for r, column in values]
            found.append((name, cells[0], _with_percent(cells[1]), _with_percent(cells[2])))
    return tuple(found)


def _trend(code: str, source: Source) -> tuple[Trend, ...]:
    """Earlier years and this one, oldest first; a year whose release does not have the organisation is left out."""
    years = [(e.year, e.release.name, e.determinations or {}) for e in source.earlier]
    years.append((source.release.year, source.release.name, source.determinations))
    return tuple(
        Trend(
            year,
            release,
            cell(row["annual"], row["status"], source.word),
            cell(row["cumulative"], row["status"], source.word),
            cell(row["percentile"], row["status"], source.word),
            row["overall_classification"] or label(row["status"]),
            row["reason"] or "",
        )
        for year, release, rows in years
        if (row := rows.get(code))
    )


def _grounds(steps: Mapping[str, Row], source: Source) -> tuple[Ground, ...]:
    """The tests of the trace, met ones first, each with what met it, or else what came nearest."""
    found = []
    for step in steps.values():
        if step["kind"] != "classification" or not step["indicator"]:
            continue
        checks = checks_of(step)
        known = [c for c in checks if c.get("figure") is not None or c["met"]]
        met = [c for c in known if c["met"]]
        told = met or known[:1]
        found.append(
            Ground(
                label(step["indicator"]),
                bool(step["outcome"]["met"]),
                tuple(_check(step, c, source) for c in told),
                len(known) - len(told),
                len(checks) - len(known),
            )
        )
    return tuple(sorted(found, key=lambda ground: not ground.is_met))


def _check(step: Mapping[str, Any], check: Mapping[str, Any], source: Source) -> Check:
    what = [source.groups.get(check[n], label(check[n])) for n in ("student_group", "subject") if check.get(n)]
    held = comparison(step, check)
    return Check(
        ", ".join(what) or DASH,
        Cell(_figure(check["figure"])) if check.get("figure") is not None else NOTHING,
        cell(check.get("threshold"), "", source.word),
        f"{held.distance}; {held.direction.value}" if held else DASH,
        bool(check["met"]),
        outcome_of(step["indicator"], check),
    )


def _figure(value: Any) -> str:
    """A figure, or the word that a designation or recognition stands there with."""
    text = str(value)
    return label(text) if "_" in text else text
