"""What a release changes: its difference to the official release before, and the prior year's figures as restated.

Belongs here: files below `changes/` of a release. Does not: comparing itself (`comparing`).
"""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from orchestration.publication.comparing import compare, moved_figures
from orchestration.publication.pairing import Side, side_by_side, side_of
from orchestration.releases import Release, releases
from orchestration.tables import read_table

ANNUAL = "annual"
CHANGES = "changes"
"""Folder of a release."""
RESTATED = ("org_code", "student_group", "first_release", "first_annual", "newest_release", "newest_annual")


def write_changes(made: Path, name: str, content: dict[str, Any], before: Release | None, home: Path) -> None:
    """Write `changes/` of the release in the making.

    `diff.json` and `figures.csv`: against `before`, where there is one. `restated_annuals.csv`: prior-year annual
    percentages that are no longer as first published.
    """
    folder = made / CHANGES
    folder.mkdir()
    year = content["school_year"]
    if before:
        with side_by_side(side_of(before), Side(f"{year}/{name}", made, content)) as pair:
            (folder / "diff.json").write_text(json.dumps(compare(pair), indent=1, ensure_ascii=False) + "\n")
            _write_csv(folder / "figures.csv", ("table", "key", "column", "from", "to"), moved_figures(pair))
    _write_csv(folder / "restated_annuals.csv", RESTATED, restated_annuals(home, year - 1, content["source"]))


def restated_annuals(home: Path, year: int, source: str) -> list[tuple[Any, ...]]:
    """Annual percentages of `year` that the newest official release gives otherwise than the first one."""
    official = [r for r in releases(home, year) if (r.source, r.stage) == (source, "official")]
    if len(official) < 2:
        return []
    first, newest = official[0], official[-1]
    before, now = _annuals(first), _annuals(newest)
    return [
        (*key, first.name, before.get(key), newest.name, now.get(key))
        for key in sorted({*before, *now})
        if before.get(key) != now.get(key)
    ]


def _annuals(release: Release) -> dict[tuple[str, str], Decimal | None]:
    file = release.folder / "target_percentages.parquet"
    if not file.exists():
        return {}
    rows = read_table(file, columns=["org_code", "student_group", "stage", "kept"])
    rows = rows.filter(pc.equal(rows.column("stage"), ANNUAL))
    org, group, _, kept = (column.to_pylist() for column in rows.columns)
    return dict(zip(zip(org, group, strict=True), kept, strict=True))


def _write_csv(path: Path, header: tuple[str, ...], rows: Any) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
