"""What a release withholds from the public, cell by cell on the public pages.

Belongs here: which cell holds which withheld figure. Does not: searching bytes (tests of the pages).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from orchestration.pages.reading import Source
from orchestration.pages.wording import INDICATORS
from orchestration.releases import Release
from tests.support.html_pages import Page

WORD = "withheld"
GROUPS = {"all_students": "All Students", "lowest_performing": "Lowest Performing"}
SPANS = {"non_high": "non-high school grades", "high": "high school grades"}
SMALL = {
    "indicator_results": ("n", "value"),
    "indicator_points": ("points",),
    "accountability_percentiles": ("percentile",),
    "target_percentages": ("shown",),
    "determinations": ("percentile", "annual", "cumulative"),
}
"""Table to the columns whose figures are too short to be searched for byte by byte."""


def withheld_cells(release: Release, site: Path) -> Counter[tuple[str, str]]:
    """How many cells of each withheld column were looked at. Fails where one says anything but that it is withheld."""
    pages = {path.stem: Page(path) for path in (site / "org").iterdir()}
    listed = {row[1]: row for row in Page(site / "all.html").tables[f"What was determined in {release.year}"][1:]}
    groups = Source(release, site, False).groups
    looked: Counter[tuple[str, str]] = Counter()
    for table, names in SMALL.items():
        inside, outside = (
            pq.read_table(folder / f"{table}.parquet").to_pylist()
            for folder in (release.folder, release.folder / "public")
        )
        for whole, public in zip(inside, outside, strict=True):
            for name in names:
                if whole[name] is not None and public[name] is None:
                    tables = pages[whole["org_code"]].tables
                    for cell in _cells(table, name, whole, tables, listed, groups):
                        assert cell == WORD, (table, name, whole, cell)
                        looked[table, name] += 1
    return looked


def _cells(
    table: str,
    name: str,
    row: dict[str, Any],
    tables: dict[str, list[list[str]]],
    listed: dict[str, list[str]],
    groups: dict[str, str],
) -> Iterator[str]:
    year = row["school_year"]
    if table in ("indicator_results", "indicator_points"):
        if row["student_group"] in GROUPS:
            title = f"{GROUPS[row['student_group']]}, {SPANS[row['gradespan']]}"
            line = next(r for r in tables[title] if r[0] == INDICATORS[row["indicator"]])
            yield line[{"n": 1, "value": 2, "points": 3}[name]]
    elif table == "determinations":
        label = {"percentile": "Accountability percentile"}.get(name, f"{name.title()} target percentage")
        yield next(r[1] for r in tables["What was determined"] if r[0] == label)
        trend = tables["Determinations by year, from the release of each"]
        yield next(r for r in trend if r[0] == str(year))[{"annual": 1, "cumulative": 2, "percentile": 3}[name]]
        if name == "percentile":
            yield listed[row["org_code"]][-1]
    else:
        stage = row.get("stage", name)
        if stage in ("percentile", "annual", "cumulative") and row["student_group"] in groups:
            of_groups = tables[f"Percentile and target percentages of each student group, {year}"]
            line = next(r for r in of_groups if r[0] == groups[row["student_group"]])
            yield line[{"percentile": 1, "annual": 2, "cumulative": 3}[stage]]
