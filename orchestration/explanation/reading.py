"""Reading one organisation out of a release.

Belongs here: files to rows. Does not: any arithmetic; what is read was decided when the release was made.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from orchestration.errors import InputError
from orchestration.releases import Release

Row = dict[str, Any]
_JSON = ("inputs", "parameters", "outcome", "upstream")
FIGURE = ("gradespan", "student_group", "indicator")


@dataclass(frozen=True)
class Dossier:
    """Everything a release holds about one organisation. `steps` are its trace by key, in the order of decision."""

    release: Release
    org_code: str

    @cached_property
    def manifest(self) -> Row:
        return self.release.manifest

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
        with (self.release.folder / "citations.csv").open(newline="", encoding="utf-8") as file:
            return {row["citation_id"]: row for row in csv.DictReader(file)}

    @cached_property
    def feeds(self) -> Mapping[str, list[str]]:
        """Indicator to the collections that its figure is counted from."""
        feeds: Mapping[str, list[str]] = json.loads((self.release.folder / "feeds.json").read_bytes())
        return feeds

    def elsewhere(self, keys: Collection[str]) -> dict[str, Row]:
        """Steps of other organisations (statewide values) by key."""
        codes = {key.split("/")[1] for key in keys}
        found: dict[str, Row] = {}
        for code in sorted(codes):
            rows = self._read("determination_trace", [("org_code", "=", code), ("key", "in", sorted(keys))])
            found |= {row["key"]: _decoded(row) for row in rows}
        return found

    def deliveries(self, indicator: str, data_year: int) -> list[Row]:
        """Deliveries of a figure: those of its collections in its data year, as the manifest lists them."""
        collections = self.feeds.get(indicator, [])
        return [i for i in self.manifest["inputs"] if i["collection"] in collections and i["year"] == data_year]

    def _rows(self, table: str) -> list[Row]:
        return self._read(table, [("org_code", "=", self.org_code)])

    def _read(self, table: str, filters: list[tuple[str, str, Any]]) -> list[Row]:
        file: Path = self.release.folder / f"{table}.parquet"
        if not file.exists():
            return []
        rows: list[Row] = pq.read_table(file, filters=filters).to_pylist()
        return rows


def _decoded(row: Row) -> Row:
    return row | {name: json.loads(row[name]) for name in _JSON}
