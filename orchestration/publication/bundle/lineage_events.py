"""OpenLineage events of the run behind a release: what each room read and wrote, and what its gate found.

Belongs here: events as the specification 2-0-2 has them. Does not: which release; what is public is decided before
(`contents`). Times are those of the run's record: it holds when the run began and ended, not each room of it. Run
identifiers follow from the digest of the release's content.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestration.assistance.writing import TABLES as ASSISTANCE
from orchestration.determinations.rendering import TABLES as DETERMINATIONS
from orchestration.lineage.columns import RAW as COLLECTION
from orchestration.lineage.columns import SEEDS

NAMESPACE = "ma-accountability"
SPECIFICATION = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
FACETS = {
    "parent": ("1-2-0", "ParentRunFacet"),
    "schema": ("1-2-0", "SchemaDatasetFacet"),
    "columnLineage": ("1-2-0", "ColumnLineageDatasetFacet"),
    "version": ("1-0-1", "DatasetVersionDatasetFacet"),
    "dataQualityAssertions": ("1-1-0", "DataQualityAssertionsDatasetFacet"),
    "outputStatistics": ("1-0-2", "OutputStatisticsOutputDatasetFacet"),
}
"""Name of a facet to the version of its schema, and its definition."""
SEVERITIES = {"critical": "error"}
"""Of a gate to that of the specification; any other one warns."""
RAW = "raw_"
"""The gate of the deliveries looks at tables named so."""
PRIOR = "_prior"
"""A model that reads the deliveries of the year before ends so (macro prior_snapshot)."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """What the events are made from.

    `schemas`: table to (column, type). `assertions`: room to what its gate found: table, type, name, severity, says and
    held. `columns`: table or model to column to (table, column) it is made from, named as in `lineage.columns`. Without
    `counts` no number of rows is told.
    """

    manifest: Mapping[str, Any]
    started: str
    ended: str
    schemas: Mapping[str, Sequence[tuple[str, str]]]
    assertions: Mapping[str, Sequence[Mapping[str, Any]]]
    columns: Mapping[str, Mapping[str, Sequence[Sequence[str]]]] = field(default_factory=dict)
    counts: bool = True


def events(told: Told) -> Iterator[Json]:
    """START and COMPLETE of the run, and between them of each room and gate in the order of the data."""
    run = _Run(told)
    yield run.event("START", run.name)
    for job, inputs, outputs in run.jobs():
        yield run.event("START", job, inputs, outputs)
        yield run.event("COMPLETE", job, inputs, outputs)
    yield run.event("COMPLETE", run.name)


class _Run:
    def __init__(self, told: Told) -> None:
        self.told, self.manifest = told, told.manifest
        self.year, self.source = self.manifest["school_year"], self.manifest["source"]
        self.name = f"annual_run_{self.source}"
        self.producer = f"urn:{NAMESPACE}:{self.manifest['code']['version']}"
        rooms: dict[str, list[str]] = {"indicators": [], "determinations": [], "assistance": []}
        for table in self.manifest["rows"]:
            rooms[_room(table)].append(table)
        self.rooms = {room: tables for room, tables in rooms.items() if tables}
        self.origins: dict[tuple[str, str], list[tuple[str, str]]] = {}

    def jobs(self) -> Iterator[tuple[str, list[Json], list[Json]]]:
        """Name, inputs and outputs of each job."""
        accepted = [self._delivery("accepted", entry) for entry in self.manifest["inputs"]]
        yield "intake", [self._delivery("delivered", entry) for entry in self.manifest["inputs"]], accepted
        yield from self._gate("source", [])
        read: list[str] = []
        for room, tables in self.rooms.items():
            earlier = (
                [*self.manifest["tables_read"], *self.manifest["earlier_releases"]] if room == "determinations" else []
            )
            inputs = accepted if room == "indicators" else [self._table(table) for table in read]
            inputs = [*inputs, *(_dataset(self._earlier(name)) for name in earlier), *self._seeds(tables)]
            yield room, inputs, [self._made(table) for table in tables]
            yield from self._gate(room, tables)
            read += tables
        place = f"release/{self.year}/{self.manifest['release']}"
        kept = [_dataset(f"{place}/{table}", self._described(table)) for table in read]
        yield "publication", [self._table(table) for table in read], kept

    def event(self, kind: str, job: str, inputs: Sequence[Json] = (), outputs: Sequence[Json] = ()) -> Json:
        started = kind == "START"
        parent = {"run": {"runId": self._id(self.name)}, "job": {"namespace": NAMESPACE, "name": self.name}}
        facets = {} if job == self.name else self._facet("parent", parent)
        return {
            "eventType": kind,
            "eventTime": self.told.started if started else self.told.ended,
            "producer": self.producer,
            "schemaURL": SPECIFICATION,
            "run": {"runId": self._id(job), "facets": facets},
            "job": {"namespace": NAMESPACE, "name": job},
            "inputs": list(inputs),
            "outputs": [] if started else list(outputs),
        }

    def _id(self, job: str) -> str:
        text = f"{NAMESPACE}/{self.manifest['content_sha256']}/{self.manifest['release']}/{job}"
        return str(uuid.uuid5(uuid.NAMESPACE_URL, text))

    def _facet(self, name: str, content: Json) -> Json:
        version, definition = FACETS[name]
        url = f"https://openlineage.io/spec/facets/{version}/{definition}.json#/$defs/{definition}"
        return {name: {"_producer": self.producer, "_schemaURL": url, **content}}

    def _delivery(self, kind: str, entry: Mapping[str, Any]) -> Json:
        """A delivered file, or the rows of it that were accepted."""
        part = f"/{entry['part']}" if entry["part"] else ""
        digest = entry.get("sha256" if kind == "delivered" else "accepted")
        facets = self._facet("version", {"datasetVersion": digest}) if digest else {}
        return _dataset(f"{kind}/{entry['year']}/{entry['collection']}{part}", facets)

    def _table(self, table: str) -> Json:
        return _dataset(f"{self.source}/{self.year}/{table}", self._described(table))

    def _made(self, table: str) -> Json:
        """A table as what a room wrote."""
        lineage = {
            column: {"inputFields": [{"namespace": NAMESPACE, "name": name, "field": field} for name, field in found]}
            for column in self.told.columns.get(table, {})
            if (found := self._origins(table, column))  # a constant, and what nobody delivered, has none
        }
        facets = self._facet("columnLineage", {"fields": lineage}) if lineage else {}
        made = self._table(table)
        made["facets"] |= facets
        if self.told.counts:
            made["outputFacets"] = self._facet("outputStatistics", {"rowCount": self.manifest["rows"][table]})
        return made

    def _described(self, table: str) -> Json:
        fields = [{"name": name, "type": kind} for name, kind in self.told.schemas.get(table, ())]
        facets = self._facet("schema", {"fields": fields}) if fields else {}
        digest = self.manifest["files"].get(f"{table}.parquet")
        return facets | (self._facet("version", {"datasetVersion": digest}) if digest else {})

    def _origins(self, table: str, column: str) -> list[tuple[str, str]]:
        """Datasets of the events with the columns that a column is made from, through all models between."""
        if (table, column) not in self.origins:
            self.origins[table, column] = []  # models do not go round in a circle; were it so, this would end it
            found: dict[tuple[str, str], None] = {}
            for upstream, field in self.told.columns.get(table, {}).get(column, ()):
                names = self._datasets(table, upstream)
                origins = self._origins(upstream, field) if names is None else [(name, field) for name in names]
                found.update(dict.fromkeys(origins))
            self.origins[table, column] = list(found)
        return self.origins[table, column]

    def _datasets(self, table: str, upstream: str) -> list[str] | None:
        """What `table` reads `upstream` from: none where nothing was delivered; None for a model between."""
        if upstream == table:  # stands for its release of the year before
            return [self._earlier(name) for name in self.manifest["earlier_releases"]]
        if upstream in self.manifest["rows"]:
            return [f"{self.source}/{self.year}/{upstream}"]
        if upstream.startswith(SEEDS):
            return [upstream]
        if not upstream.startswith(COLLECTION):
            return None
        collection = upstream.removeprefix(COLLECTION)
        own = [entry for entry in self.manifest["inputs"] if entry["collection"] == collection]
        latest = max((entry["year"] for entry in own), default=self.year)
        year = self.year - 1 if table.endswith(PRIOR) else latest
        return [self._delivery("accepted", entry)["name"] for entry in own if entry["year"] == year]

    def _seeds(self, tables: Sequence[str]) -> list[Json]:
        """Policy and other seeds of the project that tables are made from."""
        cells = ((table, column) for table in tables for column in self.told.columns.get(table, {}))
        names = {name for cell in cells for name, _ in self._origins(*cell) if name.startswith(SEEDS)}
        return [_dataset(name) for name in sorted(names)]

    def _earlier(self, name: str) -> str:
        return f"{self.source}/earlier/{name}"

    def _gate(self, room: str, tables: Sequence[str]) -> Iterator[tuple[str, list[Json], list[Json]]]:
        """The gate after a room, with what it found of each table; a table without expectations is read too."""
        by_table: dict[str, list[Json]] = {table: [] for table in tables}
        for found in self.told.assertions.get(room, ()):
            by_table.setdefault(found["table"], []).append(_assertion(found))
        inputs = []
        for table, assertions in by_table.items():
            facets = self._facet("dataQualityAssertions", {"assertions": assertions}) if assertions else {}
            inputs += [dataset | {"inputFacets": facets} for dataset in self._looked_at(table)]
        if inputs:
            yield f"validation.{room}", inputs, []

    def _looked_at(self, table: str) -> list[Json]:
        collection = table.removeprefix(RAW)
        own = [e for e in self.manifest["inputs"] if (e["collection"], e["year"]) == (collection, self.year)]
        return [self._delivery("accepted", entry) for entry in own] if own else [self._table(table)]


def _room(table: str) -> str:
    if table in DETERMINATIONS:
        return "determinations"
    return "assistance" if table in ASSISTANCE else "indicators"


def _dataset(name: str, facets: Json | None = None) -> Json:
    return {"namespace": NAMESPACE, "name": name, "facets": facets or {}}


def _assertion(found: Mapping[str, Any]) -> Json:
    return {
        "assertion": found["type"],
        "success": found["held"],
        "severity": SEVERITIES.get(found["severity"], "warn"),
        "name": found["name"],
        "description": found["says"],
    }
