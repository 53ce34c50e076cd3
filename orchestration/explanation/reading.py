"""Reading an organisation out of a release: one alone with filters, or many of them with each table read once.

Belongs here: files to rows. Does not: any arithmetic; what is read was decided when the release was made.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.errors import InputError
from orchestration.releases import Release
from orchestration.tables import read_table

Row = dict[str, Any]
_JSON = ("inputs", "parameters", "outcome", "upstream")
FIGURE = ("gradespan", "student_group", "indicator")


class Tables:
    """The tables of a folder, each read once and handed out by organisation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._tables: dict[str, tuple[pa.Table, dict[str, list[int]]] | None] = {}

    def rows(self, name: str, org_code: str) -> list[Row]:
        """Rows of an organisation in the order of the table; none where there is no such table."""
        if (found := self._of(name)) is None or (places := found[1].get(org_code)) is None:
            return []
        table, first, last = found[0], places[0], places[-1]
        together = last - first + 1 == len(places)
        rows: list[Row] = (table.slice(first, len(places)) if together else table.take(places)).to_pylist()
        return rows

    def whole(self, name: str) -> list[Row]:
        """Every row of a table; none where there is no such table."""
        found = self._of(name)
        rows: list[Row] = found[0].to_pylist() if found else []
        return rows

    def _of(self, name: str) -> tuple[pa.Table, dict[str, list[int]]] | None:
        if name not in self._tables:
            file = self.folder / f"{name}.parquet"
            self._tables[name] = _grouped(read_table(file)) if file.exists() else None
        return self._tables[name]


class Library(Tables):
    """A release for explaining many of its organisations: what they share is read once."""

    def __init__(self, release: Release) -> None:
        super().__init__(release.folder)
        self.release = release
        self.manifest: Row = release.manifest
        self._raw: dict[str, dict[str, Row]] = {}
        self._steps: dict[str, Row] = {}

    def dossier(self, org_code: str) -> Dossier:
        """The dossier of an organisation that reads from here."""
        return Dossier(self.release, org_code, self)

    def step(self, key: str) -> Row | None:
        """A step that others refer to (a statewide value, a district's only school), decoded once."""
        if key not in self._steps:
            code = key.split("/")[1]
            if code not in self._raw:
                self._raw[code] = {row["key"]: row for row in self.rows("determination_trace", code)}
            if (row := self._raw[code].get(key)) is None:
                return None
            self._steps[key] = _decoded(row)
        return self._steps[key]


@dataclass(frozen=True)
class Dossier:
    """Everything a release holds about one organisation. `steps` are its trace by key, in the order of decision.

    Without a `library` the files are read with filters, which is quickest for a single organisation.
    """

    release: Release
    org_code: str
    library: Library | None = None

    @cached_property
    def manifest(self) -> Row:
        return self.library.manifest if self.library else self.release.manifest

    @cached_property
    def determination(self) -> Row | None:
        """The row of determinations; None in a year without determinations."""
        return next(iter(self._rows("determinations")), None)

    @cached_property
    def organisation(self) -> Row:
        """The row of organisations. Raises InputError when the release does not know the code."""
        found = self._rows("organisations")
        if not found:
            raise InputError(
                f"--org {self.org_code}: no such organisation in {self.release.year}/{self.release.name}; "
                "codes have 8 digits, see organisations.csv"
            )
        return found[0]

    @cached_property
    def steps(self) -> dict[str, Row]:
        return {step["key"]: step for step in map(_decoded, self._rows("determination_trace"))}

    @cached_property
    def figures(self) -> dict[tuple[str, str, str], Row]:
        """(gradespan, student group, indicator) to the row of indicator_results."""
        return {(r["gradespan"], r["student_group"], r["indicator"]): r for r in self._rows("indicator_results")}

    @cached_property
    def participation(self) -> dict[tuple[str, str, str], Row]:
        """(gradespan, student group, subject) to the row of participation_results."""
        return {(r["gradespan"], r["student_group"], r["subject"]): r for r in self._rows("participation_results")}

    @cached_property
    def citations(self) -> Mapping[str, Row]:
        """Citation to its title and address."""
        return _citations(self.release.folder / "citations.csv")

    @property
    def policy(self) -> Mapping[str, Mapping[tuple[str, str], Row]]:
        """Rule to (policy year, parameter) to its row, as the release keeps them."""
        return _policy(self.release.folder / "policy.csv")

    @cached_property
    def feeds(self) -> Mapping[str, list[str]]:
        """Indicator to the collections that its figure is counted from."""
        return _feeds(self.release.folder / "feeds.json")

    def elsewhere(self, keys: Collection[str]) -> dict[str, Row]:
        """Steps of other organisations (statewide values, a district's only school) by key."""
        if self.library:
            return {key: step for key in sorted(keys) if (step := self.library.step(key))}
        codes = {key.split("/")[1] for key in keys}
        found: dict[str, Row] = {}
        for code in sorted(codes):
            rows = self._read("determination_trace", code)
            found |= {row["key"]: _decoded(row) for row in rows if row["key"] in keys}
        return found

    def deliveries(self, indicator: str, data_year: int) -> list[Row]:
        """Deliveries of a figure: those of its collections in its data year, as the manifest lists them."""
        collections = self.feeds.get(indicator, [])
        return [i for i in self.manifest["inputs"] if i["collection"] in collections and i["year"] == data_year]

    def _rows(self, table: str) -> list[Row]:
        if self.library:
            return self.library.rows(table, self.org_code)
        return self._read(table, self.org_code)

    def _read(self, table: str, org_code: str) -> list[Row]:
        """Rows of one organisation, from the row groups that may hold it.

        Not by a filter of pyarrow: that loads pandas, which takes longer than the reading.
        """
        file: Path = self.release.folder / f"{table}.parquet"
        if not file.exists():
            return []
        with pq.ParquetFile(file) as source:
            place = source.schema_arrow.get_field_index("org_code")
            bounds = (source.metadata.row_group(n).column(place).statistics for n in range(source.num_row_groups))
            groups = [
                n for n, of in enumerate(bounds) if of is None or not of.has_min_max or of.min <= org_code <= of.max
            ]
            found = source.read_row_groups(groups)
        codes = found.column("org_code").to_pylist()
        if org_code not in codes:
            return []
        first = codes.index(org_code)  # rows are in the order of organisations
        rows: list[Row] = found.slice(first, codes.count(org_code)).to_pylist()
        if any(row["org_code"] != org_code for row in rows):
            raise InputError(f"{file}: rows are not in the order of organisations; make the release again")
        return rows


def _grouped(table: pa.Table) -> tuple[pa.Table, dict[str, list[int]]]:
    """A table with the places of each organisation's rows."""
    places: dict[str, list[int]] = {}
    for place, code in enumerate(table.column("org_code").to_pylist()):
        places.setdefault(code, []).append(place)
    return table, places


def _decoded(row: Row) -> Row:
    return row | {name: orjson.loads(row[name]) for name in _JSON}


@lru_cache(maxsize=8)
def _citations(file: Path) -> Mapping[str, Row]:
    with file.open(newline="", encoding="utf-8") as text:
        return {row["citation_id"]: row for row in csv.DictReader(text)}


@lru_cache(maxsize=8)
def _feeds(file: Path) -> Mapping[str, list[str]]:
    feeds: Mapping[str, list[str]] = json.loads(file.read_bytes())
    return feeds


@lru_cache(maxsize=8)
def _policy(file: Path) -> Mapping[str, Mapping[tuple[str, str], Row]]:
    found: dict[str, dict[tuple[str, str], Row]] = {}
    with file.open(newline="", encoding="utf-8") as text:
        for row in csv.DictReader(text):
            found.setdefault(row["rule_id"], {})[row["policy_year"], row["parameter"]] = row
    return found
