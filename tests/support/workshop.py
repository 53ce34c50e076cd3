"""A small store and landing folder for tests, with deliveries that fit their contracts until a test spoils them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from orchestration.intake.contracts import load_contracts
from orchestration.intake.store import Snapshot, Store
from orchestration.intake.taking_in import CollectionIntake, Intake
from orchestration.policy import Register, load_register
from orchestration.settings import PROJECT, Settings

CONTRACTS = load_contracts(PROJECT / "raw" / "contracts")
YEAR = 2025

ORGANISATIONS = """school_year,org_code,org_name,org_type,district_code,town,title_i
2025,00000000,State,state,00000000,Alder,Title I District
2025,91010000,Alder,district,91010000,Alder,Title I District
2025,91010001,Alder Elementary,school,91010000,Alder,Title I School
2025,91010002,Alder Middle,school,91010000,Alder,Non-Title I School
"""
ACCESS_HEADER = "school_year,sasid,school_code,grade,test_status,overall_level,made_progress"
DROPOUT_HEADER = "school_year,sasid,school_code,grade,reason"

COMPLETE = (
    "organisations", "sims_october_1", "sims_end_of_year", "access", "mcas", "course_schedules", "graduation_cohorts",
    "dropouts",
)  # fmt: skip
"""One file for each part that a student run must have."""


class Workshop:
    """A home and a landing folder below `folder`, with the project's own contracts and policy.

    `policy` replaces values by parameter name. Tests do not wait for files to settle unless they ask for it.
    """

    def __init__(self, folder: Path, **policy: str):
        self.settings = Settings(home=folder / "home", landing=folder / "landing")
        self.contracts = CONTRACTS
        values = {"settle_seconds": "0", **policy}
        self.register = Register(
            tuple(
                replace(row, value=values.get(row.parameter, row.value))
                for row in load_register(self.settings.policy).rows
            )
        )
        self.store = Store(self.settings.home)

    def deliver(self, name: str, content: bytes | str, year: int = YEAR) -> Path:
        """Put a file into the landing folder."""
        path = self.settings.landing / str(year) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def take_in(self, collection: str, year: int = YEAR) -> Intake:
        """Take in one collection."""
        return CollectionIntake(
            collection, year, contracts=self.contracts, register=self.register, settings=self.settings
        ).run()

    def begin(self, students: int = 300) -> None:
        """Organisations and students that other collections may refer to."""
        self.deliver("organisations.csv", ORGANISATIONS)
        self.deliver("sims_october_1.csv", sims("october_1", students))
        for collection in ("organisations", "sims"):
            intake = self.take_in(collection)
            assert intake.refusals == ()

    def in_force(self, collection: str, year: int = YEAR) -> Snapshot:
        """The one snapshot in force of a collection in one piece."""
        return self.store.in_force(year, collection, "official")[""]

    def fingerprint(self) -> dict[str, str]:
        """Every file that the store keeps for good, with its sha256; scratch, locks and refusals left out."""
        home = self.settings.home
        return {
            p.relative_to(home).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
            for part in ("deliveries", "snapshots", "manifest", "runs")
            for p in sorted((home / part).rglob("*"))
            if p.is_file()
        }


def student(number: int) -> str:
    """A made-up student identifier."""
    return f"1{number:09d}"


def sims(part: str, students: int) -> str:
    """A sims delivery of one part, in element codes."""
    header = "DOE002,DOE015,DOE016,DOE012,DOE010,DOE019,DOE021,DOE025,former_english_learner,DOE036,DOE017,DOE018"
    days = "170,180" if part == "end_of_year" else ","
    rows = [f"{student(i)},91010001,0{i % 8 + 1},01,01,00,00,00,0,500,{days}" for i in range(students)]
    return "\n".join([header, *rows]) + "\n"


def access(rows: int = 300, first: int = 0) -> list[str]:
    """Lines of an access delivery: the header, then `rows` students."""
    lines = [f"2025,{student(i)},91010001,0{i % 8 + 1},T,3.{i % 10},1" for i in range(first, first + rows)]
    return [ACCESS_HEADER, *lines]


def text(lines: list[str]) -> str:
    """Lines as the text of a CSV file."""
    return "\n".join(lines) + "\n"


def with_access(folder: Path) -> Workshop:
    """A store with an accepted access delivery that a bad one must not touch."""
    shop = Workshop(folder)
    shop.begin()
    shop.deliver("access.csv", text(access()))
    assert shop.take_in("access").refusals == ()
    return shop


def changed(number: int, **values: str) -> list[str]:
    """The access delivery of `access` with fields of data line `number` replaced."""
    lines = access()
    names = lines[0].split(",")
    cells = lines[number].split(",")
    for name, value in values.items():
        cells[names.index(name)] = value
    lines[number] = ",".join(cells)
    return lines
