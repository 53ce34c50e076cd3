"""The policy register: every parameter of every year as a cited row of ``dbt_project/seeds/policy``, a file a room.

Belongs here: reading and checking rows, typed access. Does not: what a parameter means; the room that uses it knows.
``rules*.csv`` says in a sentence what each rule is, ``citations.csv`` where each row comes from; no row without both.
"""

from __future__ import annotations

import csv
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from pathlib import Path

from orchestration.errors import InputError

COLUMNS = ("policy_year", "rule_id", "parameter", "value", "unit", "citation_id", "status")
CITATION_COLUMNS = ("citation_id", "title", "address")
RULE_COLUMNS = ("rule_id", "room", "sentence")
STATUSES = ("confirmed", "secondary", "inferred")
ROOMS = ("intake", "indicators", "validation", "determinations", "assistance", "publication")
"""In the order of the data."""
EVERY = "every"
"""Policy year of a row that holds for all years; such a parameter may have no row of a single year beside it."""


@dataclass(frozen=True)
class PolicyRow:
    """One parameter: year (or 'every'), rule, name, value as written, unit, citation and its standing."""

    policy_year: str
    rule_id: str
    parameter: str
    value: str
    unit: str
    citation_id: str
    status: str
    where: str


@dataclass(frozen=True)
class Register:
    """All policy rows. Look-ups name the missing row when there is none."""

    rows: tuple[PolicyRow, ...]

    @cached_property
    def _index(self) -> dict[tuple[str, str, str], PolicyRow]:
        return {(row.policy_year, row.rule_id, row.parameter): row for row in self.rows}

    def find(self, year: int, rule_id: str, parameter: str) -> PolicyRow | None:
        """The row in force in `year`, or None."""
        return self._index.get((str(year), rule_id, parameter)) or self._index.get((EVERY, rule_id, parameter))

    def row(self, year: int, rule_id: str, parameter: str) -> PolicyRow:
        """The row in force in `year`. Raises InputError naming what is missing."""
        if found := self.find(year, rule_id, parameter):
            return found
        raise InputError(
            f"policy: no row for year {year}, rule {rule_id}, parameter {parameter}; add it to a policy_*.csv with its "
            "citation"
        )

    def decimal(self, year: int, rule_id: str, parameter: str) -> Decimal:
        """A parameter as an exact decimal."""
        row = self.row(year, rule_id, parameter)
        try:
            return Decimal(row.value)
        except InvalidOperation:
            raise InputError(f"{row.where}: value '{row.value}' of {rule_id}.{parameter} is not a number") from None

    def integer(self, year: int, rule_id: str, parameter: str) -> int:
        """A parameter as a whole number."""
        value = self.decimal(year, rule_id, parameter)
        if value != value.to_integral_value():
            raise InputError(
                f"{self.row(year, rule_id, parameter).where}: {rule_id}.{parameter} must be a whole number"
            )
        return int(value)

    @cached_property
    def school_years(self) -> tuple[int, ...]:
        """Every school year of the calendar, ascending; these are the partitions of the pipeline."""
        return tuple(sorted(int(row.policy_year) for row in self.rows if row.rule_id == "calendar"))

    def suspended(self, year: int, collection: str) -> bool:
        """True where the calendar says that a collection did not take place in `year`."""
        row = self.find(year, "suspended_collection", collection)
        return row is not None and row.value == "yes"


def load_register(folder: Path) -> Register:
    """Every `policy_*.csv`, checked against `citations.csv` and `rules*.csv`. Raises InputError naming file and row."""
    cited, known = citations(folder), rule_texts(folder)
    rows: list[PolicyRow] = []
    seen: dict[tuple[str, str, str], PolicyRow] = {}
    for row in (
        PolicyRow(**raw, where=f"{file}: row {number}")
        for file in sorted(folder.glob("policy_*.csv"))
        for number, raw in _read(file, COLUMNS)
    ):
        _check(row, cited, known)
        for year in (row.policy_year, EVERY):
            if twin := seen.get((year, row.rule_id, row.parameter)):
                raise InputError(
                    f"{row.where}: {row.rule_id}.{row.parameter} of {row.policy_year} stands in {twin.where} already"
                )
        seen[(row.policy_year, row.rule_id, row.parameter)] = row
        rows.append(row)
    for row in rows:
        if row.policy_year != EVERY and (twin := seen.get((EVERY, row.rule_id, row.parameter))):
            raise InputError(
                f"{row.where}: {row.rule_id}.{row.parameter} contradicts the row for every year, {twin.where}"
            )
    register = Register(tuple(rows))
    if not register.school_years:
        raise InputError(f"{folder}: no calendar row in a policy_*.csv; each school year needs one")
    return register


def released_register(file: Path) -> Register:
    """The rows that a release keeps; they were checked when it was made."""
    return Register(tuple(PolicyRow(**raw, where=f"{file}: row {number}") for number, raw in _read(file, COLUMNS)))


def citations(folder: Path) -> dict[str, dict[str, str]]:
    """Citation to its row. Raises InputError for one that stands there twice."""
    return _by_first(folder / "citations.csv", CITATION_COLUMNS)


def rule_texts(folder: Path) -> dict[str, dict[str, str]]:
    """Rule to its room and its sentence, in the order of the files. Raises InputError naming file and row."""
    texts: dict[str, dict[str, str]] = {}
    for file in sorted(folder.glob("rules*.csv")):
        found = _by_first(file, RULE_COLUMNS)
        if twice := set(texts) & set(found):
            raise InputError(f"{file}: rule_id '{min(twice)}' stands in another rules*.csv already")
        texts |= found
    for rule_id, text in texts.items():
        if text["room"] not in ROOMS or not text["sentence"].strip():
            raise InputError(f"{folder}: rules*.csv: {rule_id}: needs a sentence and a room, one of {', '.join(ROOMS)}")
    return texts


def _by_first(file: Path, columns: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Rows by their first column, each value of which stands there once."""
    found: dict[str, dict[str, str]] = {}
    for number, row in _read(file, columns):
        key = row[columns[0]]
        if key in found or not key.strip():
            raise InputError(f"{file}: row {number}: {columns[0]} '{key}' is {'there twice' if key else 'empty'}")
        found[key] = row
    return found


def _check(row: PolicyRow, cited: Collection[str], known: Collection[str]) -> None:
    if row.policy_year != EVERY and not (row.policy_year.isascii() and row.policy_year.isdigit()):
        raise InputError(f"{row.where}: policy_year '{row.policy_year}' is neither a year nor '{EVERY}'")
    for name in ("rule_id", "parameter", "value", "unit"):
        if not getattr(row, name).strip():
            raise InputError(f"{row.where}: {name} is empty")
    if row.rule_id not in known:
        raise InputError(
            f"{row.where}: rule_id '{row.rule_id}' is in no rules*.csv; say there in a sentence what it is"
        )
    if row.citation_id not in cited:
        raise InputError(f"{row.where}: citation_id '{row.citation_id}' is not in citations.csv")
    if row.status not in STATUSES:
        raise InputError(f"{row.where}: status '{row.status}' is not one of {', '.join(STATUSES)}")


def _read(path: Path, columns: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            if tuple(reader.fieldnames or ()) != columns:
                raise InputError(f"{path}: the header must be {','.join(columns)}")
            rows = [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    for number, row in rows:
        if None in row or None in row.values():
            raise InputError(f"{path}: row {number} does not have {len(columns)} values")
    return rows
