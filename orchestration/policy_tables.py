"""Policy rows of a year as small checked tables, for the rules that each module builds from them.

Belongs here: reading a rule's rows, their words, numbers and flags. Does not: what a parameter means.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from decimal import Decimal

from orchestration.errors import InputError
from orchestration.policy import EVERY, PolicyRow, Register


def table(register: Register, year: int, rule_id: str) -> dict[str, PolicyRow]:
    """Every row of a rule in force in `year`, by parameter, in the order of the file. InputError if there is none."""
    rows = {
        row.parameter: row for row in register.rows if row.rule_id == rule_id and row.policy_year in (str(year), EVERY)
    }
    if not rows:
        raise InputError(f"policy: no row for year {year}, rule {rule_id}; add it to a policy_*.csv with its citation")
    return rows


def number(row: PolicyRow, lowest: int = 0, highest: int | None = None) -> Decimal:
    """The value as an exact decimal within [lowest, highest]. InputError names the row."""
    try:
        value = Decimal(row.value)
    except ArithmeticError:
        raise InputError(f"{row.where}: value '{row.value}' of {name(row)} is not a number") from None
    if not value.is_finite() or value < lowest or (highest is not None and value > highest):
        raise InputError(f"{row.where}: value {row.value} of {name(row)} must be {_between(lowest, highest)}")
    return value


def whole(row: PolicyRow, lowest: int = 0, highest: int | None = None) -> int:
    """The value as a whole number within [lowest, highest]. InputError names the row."""
    value = number(row, lowest, highest)
    if value != value.to_integral_value():
        raise InputError(f"{row.where}: value {row.value} of {name(row)} must be a whole number")
    return int(value)


def word(row: PolicyRow, known: Collection[str]) -> str:
    """The value, one of the `known` words. InputError names the row."""
    if row.value not in known:
        raise InputError(f"{row.where}: value '{row.value}' of {name(row)} is not one of {', '.join(sorted(known))}")
    return row.value


def flag(row: PolicyRow) -> bool:
    """yes or no. InputError names the row."""
    return word(row, ("yes", "no")) == "yes"


def words(row: PolicyRow, known: Collection[str]) -> tuple[str, ...]:
    """Blank-separated words, each known and only once; 'none' is an empty list. InputError names the row."""
    listed = () if row.value == "none" else tuple(row.value.split())
    unknown = [item for item in listed if item not in known]
    if unknown or len(set(listed)) < len(listed):
        problem = f"'{unknown[0]}' is not one of {', '.join(sorted(known))}" if unknown else "a word stands there twice"
        raise InputError(f"{row.where}: value of {name(row)}: {problem}")
    return listed


def day(row: PolicyRow) -> date:
    """The value as a calendar day, YYYY-MM-DD. InputError names the row."""
    try:
        return date.fromisoformat(row.value)
    except ValueError:
        raise InputError(f"{row.where}: value '{row.value}' of {name(row)} is not a day as YYYY-MM-DD") from None


def exactly(rows: dict[str, PolicyRow], parameters: Collection[str], rule_id: str, year: int) -> dict[str, PolicyRow]:
    """The rows, when they are those of `parameters`, no more and no fewer. InputError names the odd one."""
    for missing in sorted(set(parameters) - set(rows)):
        raise InputError(f"policy: no row for year {year}, rule {rule_id}, parameter {missing}")
    for row in rows.values():
        if row.parameter not in parameters:
            raise InputError(f"{row.where}: parameter '{row.parameter}' of {rule_id} is not known")
    return rows


def name(row: PolicyRow) -> str:
    """`rule.parameter`, as errors print it."""
    return f"{row.rule_id}.{row.parameter}"


def _between(lowest: int, highest: int | None) -> str:
    return f"between {lowest} and {highest}" if highest is not None else f"at least {lowest}"
