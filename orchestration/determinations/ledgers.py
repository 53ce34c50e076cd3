"""Decisions of the Commissioner and the Board on single schools and districts, and which of them are in force.

Belongs here: ledger rows (who, why, when, citation, expiry) and the day they count on. Does not: what they lead to.
Source: contracts designations and recognitions; 603 CMR 2.03(2)(f), 2.05, 2.06.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from orchestration.determinations.trace import Step
from orchestration.errors import InputError


@dataclass(frozen=True)
class Designation:
    """In force from `effective_from` to `effective_until`, both days included; no last day means until removed."""

    org_code: str
    designation: str
    effective_from: date
    effective_until: date | None
    decided_by: str
    reason: str
    citation: str

    def in_force(self, day: date) -> bool:
        """Whether it stands on `day`."""
        return self.effective_from <= day and (self.effective_until is None or day <= self.effective_until)


@dataclass(frozen=True)
class Recognition:
    """A school named in the determination of one year, on one ground."""

    school_year: int
    org_code: str
    ground: str
    decided_by: str
    citation: str


class AppliedCorrection(NamedTuple):
    """A value of a delivered record that a ledger row changed before it was counted; `record_*` name the record."""

    school_year: int
    collection: str
    org_code: str
    field: str
    old_value: str | None
    new_value: str | None
    decided_by: str
    reason: str
    citation: str
    ledger_delivery: str
    ledger_row: int
    record_delivery: str
    record_row: int

    def step(self, year: int, org_code: str) -> Step:
        """The correction as a step of the trace of `year`: both values, who, why, and which record."""
        return Step(
            school_year=year,
            org_code=org_code,
            kind="correction",
            rule_id="correction",
            student_group=f"{self.ledger_delivery[:12]}-{self.ledger_row}",
            indicator=f"{self.collection}.{self.field}",
            inputs=self._asdict(),
            outcome={"old_value": self.old_value, "new_value": self.new_value},
            status="overridden",
        )


def designations_in_force(
    ledger: Iterable[Designation], day: date, known: Collection[str], excludes: Mapping[str, str]
) -> dict[str, tuple[Designation, ...]]:
    """Organisation code to its designations on `day`, by word and first day.

    Raises InputError for an unknown word, a last day before the first, and two designations in force of which one
    excludes the other (`excludes`, either way round).
    """
    found: dict[str, list[Designation]] = {}
    for row in sorted(ledger, key=lambda row: (row.org_code, row.designation, row.effective_from)):
        where = f"designations: {row.org_code} {row.designation} from {row.effective_from}"
        if row.designation not in known:
            raise InputError(f"{where}: not one of {', '.join(sorted(known))}")
        if row.effective_until is not None and row.effective_until < row.effective_from:
            raise InputError(f"{where}: its last day {row.effective_until} is before its first")
        if row.in_force(day):
            found.setdefault(row.org_code, []).append(row)
    for org, rows in found.items():
        words = {row.designation for row in rows}
        for one, other in excludes.items():
            if {one, other} <= words:
                raise InputError(
                    f"designations: {org} is both {one} and {other} on {day}; give one of them its last day "
                    "(effective_until)"
                )
    return {org: tuple(rows) for org, rows in found.items()}


def recognitions_of(ledger: Iterable[Recognition], year: int, known: Collection[str]) -> dict[str, frozenset[str]]:
    """Organisation code to the grounds it is recognised on in `year`. InputError for an unknown ground."""
    found: dict[str, set[str]] = {}
    for row in ledger:
        if row.ground not in known:
            raise InputError(
                f"recognitions: {row.school_year} {row.org_code}: ground '{row.ground}' is not one of "
                f"{', '.join(sorted(known))}"
            )
        if row.school_year == year:
            found.setdefault(row.org_code, set()).add(row.ground)
    return {org: frozenset(grounds) for org, grounds in found.items()}
