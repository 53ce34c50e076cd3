"""One year's assistance: which tables go in, where the tables come out, and whether anything changed.

Belongs here: folders, fingerprint, order. Does not: any rule (`assisting` and what it calls).
"""

from __future__ import annotations

import hashlib
import json
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
from orchestration.tables import digests_of_rules, folder_of, record_of, replacing

ROOM = "assistance"
PUBLISHED = "published"
"""What stands for a source where the tables are made from the Department's lists."""
INDICATORS, DETERMINATIONS = "indicators", "determinations"
"""The rooms whose tables are read."""


@dataclass(frozen=True)
class Built:
    """Tables of a year and source: where they are, rows of each, and whether they had to be made.

    `lacking`: a line for each region where districts are left without a Lead.
    """

    folder: Path
    rows: dict[str, int]
    fingerprint: str
    is_new: bool
    lacking: tuple[str, ...]


def has_assistance(register: Register, year: int) -> bool:
    """Whether the calendar has determinations in `year`, which assistance follows."""
    return register.row(year, "calendar", "determinations").value != "none"


def has_places(year: int, source: str, settings: Settings) -> bool:
    """Whether the source says of any organisation where it is; the hub does when its school directory is delivered."""
    folder = folder_of(settings.home, INDICATORS, source, year)
    return record_of(folder) is not None and reading.has_places(folder)


def build(year: int, source: str, *, settings: Settings, register: Register) -> Built:
    """Bring the assistance tables of `year` from `source` up to date, in `<home>/tables/assistance/<source>/<year>/`.

    With the same tables of earlier rooms, the same policy and the same code as last time nothing is made. Raises
    InputError for a policy row, a table or an organisation that cannot be; what was there before stays.
    """
    rules = year_rules(register, year)
    inputs = _inputs(year, source, rules, settings)
    fingerprint = _fingerprint(year, source, inputs, settings)
    folder = folder_of(settings.home, ROOM, source, year)
    if (record := record_of(folder)) and record["fingerprint"] == fingerprint:
        return Built(folder, record["rows"], fingerprint, is_new=False, lacking=tuple(record["lacking"]))
    done = _decide(year, source, rules, settings)
    return _write(folder, done, year, {"fingerprint": fingerprint, "inputs": inputs}, settings)


def decide(year: int, source: str, *, settings: Settings, register: Register, day: date | None = None) -> Assisted:
    """The same without writing anything, with the staff at work on `day`."""
    rules = year_rules(register, year)
    _inputs(year, source, rules, settings)
    return _decide(year, source, rules, settings, day)


def build_published(
    year: int, percentiles: Path, directory: Path, enrolment: Path | None, *, settings: Settings, register: Register
) -> tuple[Built, Assisted]:
    """Tables from the Department's published lists, in `<home>/tables/assistance/published/<year>/`."""
    from orchestration.assistance.published import published_inputs

    rules = year_rules(register, year)
    crosswalk = load_crosswalk(settings.policy, rules.now)
    done = assist(published_inputs(percentiles, directory, enrolment, rules.now, crosswalk), rules, crosswalk)
    files = (percentiles, directory, *([enrolment] if enrolment else []))
    inputs = {file.name: sha256_of(file) for file in files}
    fingerprint = _fingerprint(year, PUBLISHED, inputs, settings)
    folder = folder_of(settings.home, ROOM, PUBLISHED, year)
    return _write(folder, done, year, {"fingerprint": fingerprint, "inputs": inputs}, settings), done


def _write(folder: Path, done: Assisted, year: int, record: dict[str, Any], settings: Settings) -> Built:
    record["lacking"] = [plan.statement for plan in done.plans if plan.without]
    with replacing(folder, settings.home, record) as new:
        record["rows"] = write_tables(new, done, year)
        write_workbooks(new, done, year)
    return Built(folder, record["rows"], record["fingerprint"], is_new=True, lacking=tuple(record["lacking"]))


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


def _fingerprint(year: int, source: str, inputs: dict[str, Any], settings: Settings) -> str:
    """Digest over everything that the tables depend on: tables read, policy, code of the room, solver."""
    everything = [year, source, inputs, digests_of_rules(Path(__file__).parent, settings.policy), version("scipy")]
    return hashlib.sha256(json.dumps(everything).encode()).hexdigest()
