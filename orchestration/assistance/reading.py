"""What the room reads: determinations and organisations of the year and the year before, and two ledgers.

Belongs here: files to typed rows. Does not: any rule. Tables of other rooms only, never their code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from orchestration.tables import read_table

STATE = "00000000"
"""Code of the state; in the staff ledger it stands for no district."""


class Organisation(NamedTuple):
    """A row of organisations. `high_needs` counts students; texts and counts are None where the source has none."""

    org_code: str
    org_type: str
    org_name: str
    district_code: str
    town: str | None
    county: str | None
    former_center: str | None
    enrolment: int | None
    high_needs: int | None


class Determination(NamedTuple):
    """A row of determinations; lists are joined by `; `."""

    org_code: str
    percentile: int | None
    overall_classification: str | None
    reason: str | None
    grounds_met: str | None
    low_performing_groups: str | None
    low_participation_groups: str | None
    designations: str | None
    trace_key: str | None


class StaffRow(NamedTuple):
    """A person and one of the districts served now; `district_code` is the state's when there is none."""

    staff_id: str
    role: str
    region: str
    capacity: int
    district_code: str
    active_from: date
    active_until: date | None

    def active(self, day: date) -> bool:
        """Whether the person is at work on `day`; first and last day included."""
        return self.at_work(day, day)

    def at_work(self, first: date, last: date) -> bool:
        """Whether the person is at work on any day of a time."""
        return self.active_from <= last and (self.active_until is None or first <= self.active_until)


class PlanLine(NamedTuple):
    """A support of an annual plan, for a school or (without one) for the district."""

    plan_id: str
    district_code: str
    school_code: str | None
    staff_id: str
    agreed_on: date | None
    support: str
    unit: str
    planned: Decimal
    delivered: Decimal | None
    status: str


@dataclass(frozen=True)
class YearTables:
    """What one year's determinations say of every organisation. `federal`: school to its designation as printed.

    `strategic`: organisations known to be under direct oversight from elsewhere than their determination.
    """

    year: int
    organisations: Mapping[str, Organisation]
    determinations: Mapping[str, Determination]
    federal: Mapping[str, str]
    strategic: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Inputs:
    """Everything that decides the assistance of a year; `prior` is None where there are no earlier tables."""

    now: YearTables
    prior: YearTables | None
    staff: tuple[StaffRow, ...] = ()
    plans: tuple[PlanLine, ...] = ()


def read_year(year: int, indicators: Path, determinations: Path) -> YearTables:
    """Tables of one year from the folders of the two rooms."""
    return YearTables(
        year=year,
        organisations={
            row[0]: Organisation(*row) for row in _rows(indicators / "organisations.parquet", Organisation._fields)
        },
        determinations={
            row[0]: Determination(*row)
            for row in _rows(determinations / "determinations.parquet", Determination._fields)
        },
        federal=dict(_rows(determinations / "federal_designations.parquet", ("org_code", "designation"))),
    )


def has_places(indicators: Path) -> bool:
    """Whether any organisation has a town, a county or a former center."""
    rows = _rows(indicators / "organisations.parquet", ("town", "county", "former_center"))
    return any(any(row) for row in rows)


def read_staff(indicators: Path) -> tuple[StaffRow, ...]:
    """The staff ledger of the year, by person and district."""
    return tuple(sorted(StaffRow(*row) for row in _rows(indicators / "assistance_staff.parquet", StaffRow._fields)))


def read_plans(indicators: Path) -> tuple[PlanLine, ...]:
    """The lines of the year's plans, by identifier."""
    return tuple(sorted(PlanLine(*row) for row in _rows(indicators / "assistance_plans.parquet", PlanLine._fields)))


def _rows(file: Path, columns: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    """Rows of the columns asked for, in that order."""
    table = read_table(file, columns=list(columns))
    return zip(*(table.column(name).to_pylist() for name in columns), strict=True)
