"""A gate: every suite of a room over the tables of a year, one report, and whether the run may go on.

Belongs here: which suites a room needs, what is validated again, what a failure means. Does not: running a suite
(`running`), the form of the report (`reporting`), Dagster (`checks`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from orchestration.errors import InputError
from orchestration.files import sha256_of
from orchestration.policy import Register
from orchestration.settings import PROJECT, Settings
from orchestration.tables import record_of, replacing
from orchestration.validation.frames import FOLDER, Frame, load_frames
from orchestration.validation.reading import RAW, SNAPSHOT_COLUMNS, SNAPSHOTS, Inputs, snapshots_of, tables_of
from orchestration.validation.reporting import REPORT, write_report
from orchestration.validation.running import CRASHED, FAILED, NOT_COMPARED, Outcome, Tables, run_suite
from orchestration.validation.suites import CRITICAL, load_suite

EXPECTATIONS = PROJECT / "expectations"
NO_YEAR = "none"
"""Word of the calendar for a year without determinations."""

ROOMS: dict[str, dict[str, tuple[str, ...]]] = {
    "source": {
        "student": (
            SNAPSHOTS, "raw_organisations", "raw_sims", "raw_mcas", "raw_access", "raw_course_schedules",
            "raw_graduation_cohorts", "raw_dropouts",
        ),
        "hub": (SNAPSHOTS,),
    },
    "indicators": dict.fromkeys(("student", "hub"), ("indicator_results", "participation_results", "organisations")),
    "determinations": dict.fromkeys(
        ("student", "hub"),
        (
            "indicator_targets", "indicator_points", "target_percentages", "accountability_percentiles",
            "determinations", "federal_designations", "determination_trace",
        ),
    ),
    "assistance": dict.fromkeys(("student", "hub"), ("assistance_eligibility", "assistance_assignments")),
}  # fmt: skip
"""Room to the tables that must have a suite and pass it, by source. A table without a suite stops the run."""
READS = {
    "indicators": ("indicators",),
    "determinations": ("indicators", "determinations"),
    "assistance": ("indicators", "determinations", "assistance"),
}
"""Rooms whose tables a gate looks at."""
AFTER_THE_CALENDAR = ("determinations", "assistance")
"""Rooms that make nothing in a year for which the calendar has no determinations."""


@dataclass(frozen=True)
class Report:
    """What a gate found. `folder` holds report.json, report.html and failing_rows.xlsx; `is_new` says if it ran now."""

    room: str
    source: str
    year: int
    outcomes: tuple[Outcome, ...]
    folder: Path
    fingerprint: str
    is_new: bool

    @property
    def passed(self) -> bool:
        """Whether the run may go on."""
        return bool(self.outcomes) and not any(outcome.stops for outcome in self.outcomes)

    @property
    def faults(self) -> list[str]:
        """A line for each thing that stops the run."""
        return [self._line(o) for o in self.outcomes if o.stops] or ([] if self.outcomes else ["nothing was validated"])

    @property
    def warnings(self) -> list[str]:
        """A line for each warning."""
        return [self._line(o) for o in self.outcomes if not o.held and not o.stops]

    @property
    def notes(self) -> list[str]:
        """A line for each expectation that could not be compared."""
        return [f"{o.table}.{o.name}: {o.observed}" for o in self.outcomes if o.status == NOT_COMPARED]

    def _line(self, o: Outcome) -> str:
        seen = f"{o.failing} of {o.checked} failing{o.first}" if o.failing else o.observed
        return f"{o.table}.{o.name}: {seen}; expected: {o.says} See {self.folder / 'report.html'}"


def validate(
    room: str,
    year: int,
    source: str,
    *,
    settings: Settings,
    register: Register,
    stage: str = "official",
    expectations: Path = EXPECTATIONS,
) -> Report:
    """Run every suite of a room and write the report to `<home>/validation/<room>/<source>/<year>/`.

    With the same tables, suites, policy and code as last time nothing is run and the report stays. A suite that is
    missing or out of order, a table that is missing and an expectation that crashes are critical failures.
    """
    folder = settings.home / "validation" / room / source / str(year)
    inputs = (
        snapshots_of(year, source, stage, settings)
        if room == "source"
        else tables_of(READS[room], year, source, settings)
    )
    fingerprint = _fingerprint(
        [room, ROOMS[room][source], year, source, stage, inputs.digests()], settings, expectations
    )
    if (record := record_of(folder)) and record["fingerprint"] == fingerprint and (folder / REPORT).is_file():
        return Report(room, source, year, _read_back(folder), folder, fingerprint, is_new=False)
    outcomes = tuple(_outcomes(room, year, source, inputs, register, expectations))
    again = any(o.status == CRASHED for o in outcomes)  # a crash may be the machine's: look again next time
    report = Report(room, source, year, outcomes, folder, fingerprint, is_new=True)
    with replacing(
        folder, settings.home, {"fingerprint": "" if again else fingerprint, "inputs": inputs.digests()}
    ) as new:
        write_report(new, room=room, source=source, year=year, passed=report.passed, outcomes=outcomes)
    return report


def _outcomes(
    room: str, year: int, source: str, inputs: Inputs, register: Register, expectations: Path
) -> list[Outcome]:
    if room in AFTER_THE_CALENDAR and register.row(year, "calendar", "determinations").value == NO_YEAR:
        return [_own(room, "calendar", NOT_COMPARED, f"the calendar has no determinations in {year}")]
    if room == "assistance" and not _has_places(inputs):
        return [_own(room, "places", NOT_COMPARED, "the organisations have neither town nor county: no regions")]
    try:
        frames = load_frames(expectations)
        tables = Tables(inputs.files, inputs.private)
    except (InputError, duckdb.Error) as error:
        return [_own(room, "inputs", FAILED, str(error).splitlines()[0])]
    try:
        rows = [
            (r.rule_id, r.parameter, r.value) for r in register.rows if r == register.find(year, r.rule_id, r.parameter)
        ]
        tables.add("policy_rows", ("rule_id", "parameter", "value"), rows)
        for name in inputs.snapshots:
            tables.add(name, SNAPSHOT_COLUMNS, inputs.snapshot_rows(name))
        return [
            outcome
            for table in ROOMS[room][source]
            for outcome in _of_table(table, tables, frames, register, year, source, expectations)
        ]
    finally:
        tables.close()


def _of_table(
    table: str,
    tables: Tables,
    frames: dict[str, Frame],
    register: Register,
    year: int,
    source: str,
    expectations: Path,
) -> list[Outcome]:
    try:
        suite = load_suite(expectations / f"{table}.yml", frames)
    except InputError as error:
        return [_own(table, "suite", FAILED, str(error))]
    if table not in tables.names:
        if table.startswith(RAW) and register.suspended(year, table.removeprefix(RAW)):
            return [_own(table, "table", NOT_COMPARED, f"the calendar says that it did not take place in {year}")]
        return [_own(table, "table", FAILED, f"there is no table {table} of {year}; run that year again")]
    try:
        found = run_suite(suite, tables, frames, register, year, source)
    except Exception as error:  # a gate that breaks is shut
        return [_own(table, "suite", CRASHED, f"{suite.file}: {type(error).__name__} while it was run")]
    return found or [_own(table, "suite", FAILED, f"{suite.file}: no expectation is meant for source {source}")]


def _has_places(inputs: Inputs) -> bool:
    """Whether any organisation says where it is; without, the room makes nothing. A missing table stops later."""
    files = inputs.files.get("organisations", [])
    if not files or inputs.files.get("assistance_eligibility"):
        return True
    places = pq.read_table(files[0], columns=["town", "county"])
    return any(column.null_count < len(column) for column in places.columns)


def _own(table: str, name: str, status: str, observed: str) -> Outcome:
    """An outcome of the gate itself."""
    return Outcome(
        table=table,
        name=name,
        type="gate",
        severity=CRITICAL,
        says="Every table that goes on is there and has a suite that is in order.",
        rule="the gate holds",
        owner="accountability-office",
        status=status,
        observed=observed,
        checked=0,
    )


def _fingerprint(inputs: list[object], settings: Settings, expectations: Path) -> str:
    """Digest over everything that the report depends on: tables, suites, frames, policy, code, libraries."""
    files = (
        *sorted(settings.policy.glob("*.csv")),
        *sorted(expectations.glob("*.yml")),
        *sorted((expectations / FOLDER).glob("*.sql")),
        *sorted(Path(__file__).parent.glob("*.py")),
    )
    rules = [(file.name, sha256_of(file)) for file in files]
    libraries = [version(name) for name in ("great-expectations", "duckdb", "pandas")]
    return hashlib.sha256(json.dumps([*inputs, rules, libraries]).encode()).hexdigest()


def _read_back(folder: Path) -> tuple[Outcome, ...]:
    """The outcomes of a report that was written before."""
    told = json.loads((folder / REPORT).read_bytes())["outcomes"]
    return tuple(
        Outcome(
            **(
                entry
                | {
                    "columns": tuple(entry["columns"]),
                    "key": tuple(entry["key"]),
                    "rows": tuple(map(tuple, entry["rows"])),
                }
            )
        )
        for entry in told
    )
