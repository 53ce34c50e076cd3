"""The yearly calendar: which kind of release a school year may have on a given day.

Belongs here: windows by policy (rule `cycle`). Does not: the clock; the day is an argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from orchestration.errors import InputError
from orchestration.policy import Register

RULE = "cycle"
PRELIMINARY, OFFICIAL = "preliminary", "official"


@dataclass(frozen=True)
class Cycle:
    """The days of one school year's cycle, each the first day of what it names."""

    year: int
    preliminary_from: date
    discrepancies_until: date
    official_from: date

    def stage_on(self, day: date) -> str | None:
        """What may be released on `day`: nothing before the cycle opens."""
        if day < self.preliminary_from:
            return None
        return PRELIMINARY if day < self.official_from else OFFICIAL

    def phase_on(self, day: date) -> str:
        """The phase in words, for people."""
        if day < self.preliminary_from:
            return f"opens on {self.preliminary_from}"
        if day <= self.discrepancies_until:
            return f"preliminary; districts report discrepancies until {self.discrepancies_until}"
        if day < self.official_from:
            return f"preliminary; official from {self.official_from}"
        return f"official since {self.official_from}"


def cycle_of(register: Register, year: int) -> Cycle:
    """The cycle of a year of the calendar. Raises InputError naming the policy row that is missing or out of order."""
    first, until, official = (
        _day(register, year, name) for name in ("preliminary_from", "discrepancies_until", "official_from")
    )
    if not first <= until < official:
        row = register.row(year, RULE, "official_from")
        raise InputError(f"{row.where}: the cycle of {year} must run preliminary, discrepancies, official; correct it")
    return Cycle(year, first, until, official)


def _day(register: Register, year: int, name: str) -> date:
    row = register.row(year, RULE, name)
    try:
        return date.fromisoformat(row.value)
    except ValueError:
        raise InputError(f"{row.where}: value '{row.value}' of {RULE}.{name} is not a day; write YYYY-MM-DD") from None
