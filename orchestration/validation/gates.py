"""A gate: every suite of a room over the tables of a year, one report, and whether the run may go on.

Belongs here: which suites a room needs, what is validated again, what a failure means. Does not: running a suite
(`judging`, `workers`), the form of the report (`reporting`), Dagster (`checks`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from orchestration.errors import InputError
from orchestration.files import private_folder, sha256_of
from orchestration.intake.store import WORK
from orchestration.policy import Register
from orchestration.settings import PROJECT, Settings
from orchestration.tables import read_table, record_of, replacing
from orchestration.validation.frames import FOLDER, Frame, load_frames
from orchestration.validation.judging import Rows, Task, of_gate
from orchestration.validation.reading import RAW, SNAPSHOT_COLUMNS, SNAPSHOTS, Inputs, snapshots_of, tables_of
from orchestration.validation.reporting import REPORT, write_report
from orchestration.validation.running import CRASHED, FAILED, NOT_COMPARED, Outcome
from orchestration.validation.suites import STRUCTURE, load_suite
from orchestration.validation.workers import judged

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
POLICY_ROWS, POLICY_COLUMNS = "policy_rows", ("rule_id", "parameter", "value")
"""The table of the policy rows in force, which any frame may read."""


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

    A suite is run again only if it, the policy, the code or a table that it reads has changed. A suite that is
    missing or out of order, a table that is missing and an expectation that crashes are critical failures.
    """
    folder = settings.home / "validation" / room / source / str(year)
    inputs = (
        snapshots_of(year, source, stage, settings)
        if room == "source"
        else tables_of(READS[room], year, source, settings)
    )
    spill, rules = private_folder(settings.home / WORK, settings.home), _rules(register, year)
    gate = _Gate(room, year, source, stage, inputs, inputs.digests(), register, expectations, rules, spill)
    fingerprint, record = gate.fingerprint(), record_of(folder)
    before = _read_back(folder) if record and (folder / REPORT).is_file() else ()
    if record and before and record["fingerprint"] == fingerprint:
        return Report(room, source, year, before, folder, fingerprint, is_new=False)
    outcomes, suites = gate.judged(before, record.get("suites", {}) if record else {})
    again = any(o.status == CRASHED for o in outcomes)  # a crash may be the machine's: look again next time
    report = Report(room, source, year, outcomes, folder, fingerprint, is_new=True)
    made = {"fingerprint": "" if again else fingerprint, "inputs": gate.digests, "suites": suites}
    with replacing(folder, settings.home, made) as new:
        write_report(new, room=room, source=source, year=year, passed=report.passed, outcomes=outcomes)
    return report


@dataclass(frozen=True)
class _Gate:
    """What is asked of a room's tables. `digests`: of each table; `rules`: of policy, code and libraries; `spill`: a
    folder for what does not fit into memory."""

    room: str
    year: int
    source: str
    stage: str
    inputs: Inputs
    digests: Mapping[str, list[str]]
    register: Register
    expectations: Path
    rules: Mapping[str, str]
    spill: Path

    def fingerprint(self) -> str:
        """Digest over everything that the report depends on."""
        files = (*self.expectations.glob("*.yml"), *(self.expectations / FOLDER).glob("*.sql"))
        return _digest([self._asked, ROOMS[self.room][self.source], self.digests, self.rules, _digests(files)])

    def judged(
        self, before: Sequence[Outcome], suites_before: Mapping[str, str]
    ) -> tuple[tuple[Outcome, ...], dict[str, str]]:
        """Outcomes of every suite, and table to the digest of all that its outcomes depend on.

        A suite of which nothing has changed since it was last run is not run again: its outcomes `before` hold.
        """
        if reason := self._nothing_to_judge():
            return (reason,), {}
        try:
            frames = load_frames(self.expectations)
        except InputError as error:
            return (of_gate(self.room, "inputs", FAILED, str(error)),), {}
        small: dict[str, Rows] = {
            name: (SNAPSHOT_COLUMNS, self.inputs.snapshot_rows(name)) for name in self.inputs.snapshots
        }
        small[POLICY_ROWS] = POLICY_COLUMNS, _in_force(self.register, self.year)
        found: dict[str, list[Outcome]] = {}
        due: dict[str, Task] = {}
        suites: dict[str, str] = {}
        for table in ROOMS[self.room][self.source]:
            task = self._task(table, frames, small)
            if isinstance(task, Outcome):
                found[table] = [task]
                continue
            suites[table] = self._depends(task)
            if suites_before.get(table) == suites[table]:
                found[table] = [o for o in before if o.table == table]
            else:
                due[table] = task
        first = sorted(due, key=lambda table: -_size(due[table].files.get(table, ())))  # the longest begins first
        found |= zip(first, judged([due[table] for table in first]), strict=True)
        crashed = {table for table, outcomes in found.items() if any(o.status == CRASHED for o in outcomes)}
        outcomes = tuple(outcome for table in ROOMS[self.room][self.source] for outcome in found[table])
        return outcomes, {table: digest for table, digest in suites.items() if table not in crashed}

    @property
    def _asked(self) -> tuple[object, ...]:
        return self.room, self.year, self.source, self.stage

    def _nothing_to_judge(self) -> Outcome | None:
        """Why the room has made no table, where it need not make any."""
        of_calendar = self.register.row(self.year, "calendar", "determinations").value
        if self.room in AFTER_THE_CALENDAR and of_calendar == NO_YEAR:
            note = f"the calendar has no determinations in {self.year}"
            return of_gate(self.room, "calendar", NOT_COMPARED, note)
        try:
            if self.room == "assistance" and not _has_places(self.inputs):
                note = "the organisations have neither town nor county: no regions"
                return of_gate(self.room, "places", NOT_COMPARED, note)
        except (OSError, ValueError) as error:
            return of_gate(self.room, "inputs", FAILED, str(error).splitlines()[0])
        return None

    def _task(self, table: str, frames: Mapping[str, Frame], small: Mapping[str, Rows]) -> Task | Outcome:
        """A table's suite with all that it reads, or what keeps it from being run."""
        try:
            suite = load_suite(self.expectations / f"{table}.yml", frames)
        except InputError as error:
            return of_gate(table, "suite", FAILED, str(error))
        files = self.inputs.files
        if table not in files and table not in small:
            if table.startswith(RAW) and self.register.suspended(self.year, table.removeprefix(RAW)):
                note = f"the calendar says that it did not take place in {self.year}"
                return of_gate(table, "table", NOT_COMPARED, note)
            note = f"there is no table {table} of {self.year}; run that year again"
            return of_gate(table, "table", FAILED, note)
        own = {e.frame: frames[e.frame] for e in suite.expectations if e.frame and e.frame != STRUCTURE}
        read = {table, POLICY_ROWS, *(name for frame in own.values() for name in frame.reads)}
        return Task(
            suite,
            own,
            {name: paths for name, paths in files.items() if name in read},
            {name: rows for name, rows in small.items() if name in read},
            self.inputs.private,
            self.spill / table,
            self.register,
            self.year,
            self.source,
        )

    def _depends(self, task: Task) -> str:
        """Digest over everything that the outcomes of a suite depend on."""
        read = {name: self.digests.get(name) for name in sorted({*task.files, *task.small})}
        files = (task.suite.file, *(frame.file for frame in task.frames.values()))
        return _digest([self._asked, read, self.rules, _digests(files)])


def _has_places(inputs: Inputs) -> bool:
    """Whether any organisation says where it is; without, the room makes nothing. A missing table stops later."""
    files = inputs.files.get("organisations", [])
    if not files or inputs.files.get("assistance_eligibility"):
        return True
    places = read_table(files[0], columns=["town", "county"])
    return any(column.null_count < len(column) for column in places.columns)


def _in_force(register: Register, year: int) -> list[tuple[str, str, str]]:
    """Rows of the policy that hold in `year`."""
    return [
        (row.rule_id, row.parameter, row.value)
        for row in register.rows
        if row == register.find(year, row.rule_id, row.parameter)
    ]


def _size(files: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in files if path.is_file())


def _rules(register: Register, year: int) -> dict[str, str]:
    """Digests of what every suite depends on: policy rows in force, code, libraries."""
    libraries = {name: version(name) for name in ("great-expectations", "duckdb", "pandas")}
    code = _digests(Path(__file__).parent.glob("*.py"))
    return {POLICY_ROWS: _digest(_in_force(register, year)), **libraries, **code}


def _digests(files: Iterable[Path]) -> dict[str, str]:
    return {path.name: sha256_of(path) for path in sorted(files)}


def _digest(parts: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


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
