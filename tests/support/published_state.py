"""A small fictional state with one real release and, for the trend, a release of the year before made from it.

Belongs here: real rooms, gates that say what they are told (as in `small_home`). Does not: the annual run as a whole.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from orchestration import synthetic
from orchestration.assistance.building import build as build_assistance
from orchestration.determinations.building import build as build_determinations
from orchestration.indicators.building import build as build_indicators
from orchestration.publication.publishing import publish
from orchestration.releases import CURRENT, MANIFEST, Release, published
from tests.support.small_home import SmallHome
from tests.support.workshop import Workshop

YEAR = 2025
BEFORE = YEAR - 1
NAME = "student-official-001"
LOWER = 7
"""By how much the percentages of the year before are lower."""


def published_state(folder: Path, students: int = 6_000) -> Release:
    """The release of `YEAR` in `folder`/home; `BEFORE` has one too."""
    shop = Workshop(folder)
    synthetic.generate(shop.settings.landing, students=students, years=[BEFORE, YEAR], seed=5, contracts=shop.contracts)
    for year in (BEFORE, YEAR):
        for collection in [name for name, c in shop.contracts.items() if c.source != "hub"]:
            assert shop.take_in(collection, year).refusals == ()
    build_indicators(YEAR, "official", settings=shop.settings, contracts=shop.contracts, register=shop.register)
    build_determinations(YEAR, "student", settings=shop.settings, register=shop.register)
    build_assistance(YEAR, "student", settings=shop.settings, register=shop.register)
    told = SmallHome(shop.settings.home)
    for room in ("source", "indicators", "determinations", "assistance"):
        told.gate(room, YEAR, "student", passed=True)
    release = publish(YEAR, "student", "official", settings=shop.settings, register=shop.register).release
    _year_before(release, shop.settings.home)
    return release


def change(folder: Path, table: str, edit: Any) -> None:
    """Have `edit` change each row of a table of a release in place; it keeps its types."""
    path = folder / f"{table}.parquet"
    before = pq.read_table(path)
    rows = before.to_pylist()
    for row in rows:
        edit(row)
    path.chmod(0o600)
    pq.write_table(pa.Table.from_pylist(rows, schema=before.schema), path)


def _year_before(release: Release, home: Path) -> None:
    """The determinations of the same organisations a year earlier, lower, in a release of that year in force."""
    folder = published(home, BEFORE) / NAME
    shutil.copytree(release.folder, folder)

    def earlier(row: dict[str, Any]) -> None:
        row["school_year"] = BEFORE
        for name in ("annual", "cumulative"):
            row[name] = None if row[name] is None else max(0, row[name] - LOWER)

    for place in (folder, folder / "public"):
        change(place, "determinations", earlier)
    manifest = json.loads((folder / MANIFEST).read_bytes()) | {"school_year": BEFORE, "earlier_releases": {}}
    (folder / MANIFEST).chmod(0o600)
    (folder / MANIFEST).write_text(json.dumps(manifest))
    (folder.parent / CURRENT).symlink_to(NAME)


def two_years(folder: Path, students: int = 6_000) -> Release:
    """The release of `YEAR` made after one of `BEFORE`, as the years go: it has percentiles and prior years.

    Deliveries go back a year more, which some figures of the first are of.
    """
    shop = Workshop(folder)
    years = [BEFORE - 1, BEFORE, YEAR]
    synthetic.generate(shop.settings.landing, students=students, years=years, seed=5, contracts=shop.contracts)
    told = SmallHome(shop.settings.home)
    for year in years:
        for collection in [name for name, c in shop.contracts.items() if c.source != "hub"]:
            assert shop.take_in(collection, year).refusals == ()
    for year in (BEFORE, YEAR):
        build_indicators(year, "official", settings=shop.settings, contracts=shop.contracts, register=shop.register)
        build_determinations(year, "student", settings=shop.settings, register=shop.register)
        build_assistance(year, "student", settings=shop.settings, register=shop.register)
        for room in ("source", "indicators", "determinations", "assistance"):
            told.gate(room, year, "student", passed=True)
        release = publish(year, "student", "official", settings=shop.settings, register=shop.register).release
    return release
