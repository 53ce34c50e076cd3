"""One year's assistance: which tables go in, where the tables come out, and whether anything changed.

Belongs here: folders, fingerprint, order. Does not: any rule (`assisting` and what it calls).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from orchestration.assistance import reading
from orchestration.assistance.assisting import Assisted, YearRules, assist, year_rules
from orchestration.assistance.regions import load_crosswalk
from orchestration.assistance.workbooks import write_workbooks
from orchestration.assistance.writing import write_tables
from orchestration.errors import InputError
from orchestration.files import sha256_of
from orchestration.policy import Register
from orchestration.releases import Release, newest
from orchestration.settings import Settings
from orchestration.tables import Basis, Built, Changes, digests_of_rules, folder_of, record_of, replacing

ROOM = "assistance"
PUBLISHED = "published"
"""What stands for a source where the tables are made from the Department's lists."""
INDICATORS, DETERMINATIONS = "indicators", "determinations"
"""The rooms whose tables are read."""


@dataclass(frozen=True)
class BuiltAssistance(Built):
    """Tables of the room. `lacking`: a line for each region where districts are left without a Lead."""

    lacking: tuple[str, ...]


def has_assistance(register: Register, year: int) -> bool:
    """Whether the calendar has determinations in `year`, which assistance follows."""
    return register.row(year, "calendar", "determinations").value != "none"


def has_places(year: int, source: str, settings: Settings) -> bool:
    """Whether the source says of any organisation where it is; the hub does when its school directory is delivered."""
    folder = folder_of(settings.home, INDICATORS, source, year)
    return record_of(folder) is not None and reading.has_places(folder)


def build(year: int, source: str, *, settings: Settings, register: Register) -> BuiltAssistance:
    """Bring the assistance tables of `year` from `source` up to date, in `<home>/tables/assistance/<source>/<year>/`.

    With the same tables of earlier rooms, the same policy and the same code as last time nothing is made. Raises
    InputError for a policy row, a table or an organisation that cannot be; what was there before stays.
    """
    rules = year_rules(register, year)
    basis = _basis(year, source, _inputs(year, source, rules, settings), settings)
    folder = folder_of(settings.home, ROOM, source, year)
    record = record_of(folder)
    if record and not basis.since(record):
        return BuiltAssistance(folder, record["rows"], basis.fingerprint, Changes(), lacking=tuple(record["lacking"]))
    return _write(folder, _decide(year, source, rules, settings), basis, settings)


def outdated(year: int, source: str, *, settings: Settings, register: Register) -> Changes:
    """Why `build` would make the tables of `year` anew; nothing if it would not. Raises InputError as `build` does."""
    inputs = _inputs(year, source, year_rules(register, year), settings)
    return _basis(year, source, inputs, settings).since(record_of(folder_of(settings.home, ROOM, source, year)))


def decide(year: int, source: str, *, settings: Settings, register: Register, day: date | None = None) -> Assisted:
    """The same without writing anything, with the staff at work on `day`."""
    rules = year_rules(register, year)
    _inputs(year, source, rules, settings)
    return _decide(year, source, rules, settings, day)


def build_published(
    year: int, percentiles: Path, directory: Path, enrolment: Path | None, *, settings: Settings, register: Register
) -> tuple[BuiltAssistance, Assisted]:
    """Tables from the Department's published lists, in `<home>/tables/assistance/published/<year>/`."""
    from orchestration.assistance.published import published_inputs

    rules = year_rules(register, year)
    crosswalk = load_crosswalk(settings.policy, rules.now)
    done = assist(published_inputs(percentiles, directory, enrolment, rules.now, crosswalk), rules, crosswalk)
    files = (percentiles, directory, *([enrolment] if enrolment else []))
    inputs = {file.name: sha256_of(file) for file in files}
    folder = folder_of(settings.home, ROOM, PUBLISHED, year)
    return _write(folder, done, _basis(year, PUBLISHED, inputs, settings), settings), done


def _write(folder: Path, done: Assisted, basis: Basis, settings: Settings) -> BuiltAssistance:
    why = basis.since(record_of(folder))
    record = {**basis.record(), "inputs": dict(basis.inputs)}
    record["lacking"] = [plan.statement for plan in done.plans if plan.without]
    with replacing(folder, settings.home, record) as new:
        record["rows"] = write_tables(new, done, basis.year)
        write_workbooks(new, done, basis.year)
    return BuiltAssistance(folder, record["rows"], basis.fingerprint, why, lacking=tuple(record["lacking"]))


def _decide(year: int, source: str, rules: YearRules, settings: Settings, day: date | None = None) -> Assisted:
    own = folder_of(settings.home, INDICATORS, source, year)
    before = _before(source, rules, settings)
    read = reading.Inputs(
        now=reading.read_year(year, own, folder_of(settings.home, DETERMINATIONS, source, year)),
        prior=reading.read_year(before.year, before.folder, before.folder) if before else None,
        staff=reading.read_staff(own),
        plans=reading.read_plans(own),
    )
    return assist(read, rules, load_crosswalk(settings.policy, rules.now), day)


def _before(source: str, rules: YearRules, settings: Settings) -> Release | None:
    """The newest official release of the year before: who entered and who left is told against what was published."""
    return newest(settings.home, rules.prior.year, source, "official") if rules.prior else None


def _inputs(year: int, source: str, rules: YearRules, settings: Settings) -> dict[str, Any]:
    """Fingerprints of the tables that are read; the year's own must be there."""
    found: dict[str, Any] = {}
    for room in (INDICATORS, DETERMINATIONS):
        folder = folder_of(settings.home, room, source, year)
        if (record := record_of(folder)) is None:
            raise InputError(f"{folder}: there are no {room} tables of {year}; run that year first")
        found[f"{room} {year}"] = record["fingerprint"]
    if before := _before(source, rules, settings):
        found[f"release {before.year}"] = before.identity
    return found


def _basis(year: int, source: str, inputs: dict[str, Any], settings: Settings) -> Basis:
    """Everything that the tables depend on: tables read, policy, code of the room, solver."""
    rules = digests_of_rules(Path(__file__).parent, settings.policy) | {"scipy": version("scipy")}
    return Basis(ROOM, year, source, inputs, rules)
