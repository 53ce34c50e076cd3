"""Planted faults: rows that an intake must put into quarantine, and the list of what it must find.

Belongs here: which rule is broken where, one rule a row, without consequences for other rows. Does not: checking.
"""

from __future__ import annotations

import csv
import io
import itertools
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from orchestration.errors import InputError
from orchestration.intake.contracts import Contract, ContractField
from orchestration.synthetic.anchors import Defects
from orchestration.synthetic.rng import Stream, generator
from orchestration.synthetic.writing import Edits, Numbers, Table, cells, row_count, unknown_student_id

KINDS = (
    "required", "type", "year", "code", "range", "not_above", "duplicate_key", "foreign_key", "field_count", "part",
    "pattern", "max_length", "scale",
)  # fmt: skip
"""Rules of raw/README.md, in the order in which they are planted."""
UNKNOWN_ORGANISATION = "99999999"
UNKNOWN_CODE = "ZZ"
THOUSANDS = "1,234"
NUMERIC = ("integer", "decimal")
IN_ORGANISATIONS = ("required", "year", "code")
"""Rules broken in invented rows of the directory; the others could touch a row that deliveries refer to."""
LIST_NAME = "_planted_defects.csv"
LIST_COLUMNS = ("year", "collection", "part", "file", "row", "field", "rule")
FIRST_DATA_ROW = 2
"""Row number of the first record, as a spreadsheet counts."""

Place = tuple[int, str, str]
"""Year, collection, part."""


@dataclass(frozen=True)
class Fault:
    """One fault to plant: a rule and the field that breaks it ('' for rules about the whole row)."""

    rule: str
    field: str


@dataclass
class Plan:
    """Which faults each delivery gets, decided before anything is written."""

    faults: dict[Place, list[Fault]] = field(default_factory=dict)
    listed: list[tuple[Any, ...]] = field(default_factory=list)


def plan(
    count: int,
    students: int,
    places: list[Place],
    contracts: dict[str, Contract],
    file_format: str,
    figures: Defects,
) -> Plan:
    """Spread `count` faults over rules and deliveries in turn. Raises InputError when they would be too many."""
    room = {place: _room(place, students, figures) for place in places}
    fields = {
        kind: {place: _fields(kind, contracts[place[1]], place[2], file_format) for place in places} for kind in KINDS
    }
    out = Plan()
    used: Counter[tuple[str | int, ...]] = Counter()
    kinds = itertools.cycle(KINDS)
    failed = 0
    while (planted := sum(map(len, out.faults.values()))) < count:
        kind = next(kinds)
        rows = 2 if kind == "duplicate_key" else 1
        able = [place for place in places if fields[kind][place] and room[place] >= rows]
        failed = 0 if able else failed + 1
        if failed == len(KINDS):
            raise InputError(
                f"defects: {count} are too many for {students} students and these years: {planted} fit; ask for fewer"
            )
        if not able:
            continue
        place = min(able, key=lambda p: (used[kind, p[1]], used[p], used[(p[1],)], used[(p[0],)], p))
        names = fields[kind][place]
        out.faults.setdefault(place, []).append(Fault(kind, names[used[kind, place[1]] % len(names)]))
        room[place] -= rows
        used.update([(kind, place[1]), place, (place[1],), (place[0],)])
    return out


def plant(
    faults: list[Fault],
    place: Place,
    file: Path,
    table: Table,
    contract: Contract,
    seed: int,
    allowed: npt.NDArray[np.int64] | None,
    listed: list[tuple[Any, ...]],
) -> Edits:
    """Choose the rows of one delivery, break them, and add to `listed` what must be found.

    `allowed`: identifiers of students whose rows may be broken, where other deliveries depend on them; None for all.
    """
    year, collection, part = place
    edits = Edits()
    names = list(table)
    number = sorted(contract.fields).index(names[0]) + sum(map(ord, collection + part))
    rng = np.random.default_rng(np.random.SeedSequence([seed, year, int(Stream.DEFECTS), number]))
    free = _free_rows(table, allowed, rng)

    def note(row: int, name: str, rule: str) -> None:
        listed.append((year, collection, part, file.as_posix(), row + FIRST_DATA_ROW, name, rule))

    for position, fault in enumerate(faults):
        appended_at = row_count(table) + len(edits.appended)
        if collection == "organisations":
            # Other deliveries refer to every organisation: only rows of invented ones are broken.
            row = row_count(table) - 1
            broken = cells(table, row)
            broken[names.index("org_code")] = f"{broken[names.index('org_code')][:4]}{9900 + position:04d}"
            _break(broken, names, fault, contract, position)
            edits.appended.append(broken)
            note(appended_at, fault.field, fault.rule)
            continue
        row = next(r for r in free if _fits(table, r, fault, contract))
        broken = cells(table, row)
        _break(broken, names, fault, contract, position)
        if fault.rule == "duplicate_key":
            edits.appended.append(broken)
            note(row, contract.primary_key[0], fault.rule)
            note(appended_at, contract.primary_key[0], fault.rule)
        else:
            edits.replaced[row] = broken
            note(row, fault.field, fault.rule)
    return edits


def write_list(out: Path, listed: list[tuple[Any, ...]]) -> None:
    """Write the list of what must be found, complete or not at all."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(LIST_COLUMNS)
    writer.writerows(sorted(listed))
    unfinished = out / f".{LIST_NAME}"
    unfinished.write_text(buffer.getvalue(), encoding="utf-8", newline="")
    os.replace(unfinished, out / LIST_NAME)


def _room(place: Place, students: int, figures: Defects) -> int:
    return int(figures.rows.get(place[1], 0.0) * students * figures.largest_share)


def _fields(kind: str, contract: Contract, part: str, file_format: str) -> list[str]:
    """Fields of a contract on which a rule can be broken without touching the row's key."""
    if contract.collection == "organisations" and kind not in IN_ORGANISATIONS:
        return []
    key = set(contract.primary_key) | {name for foreign in contract.foreign_keys for name in foreign.fields}
    if contract.parts:
        key.add(contract.parts.field)
    plain = [f for name, f in contract.fields.items() if name not in key and f.type != "year"]
    match kind:
        case "required":
            return [f.name for f in plain if f.required or part in f.required_in]
        case "type":
            return [f.name for f in plain if f.type in NUMERIC]
        case "year":
            return [contract.year_field] if contract.year_field else []
        case "code":
            return [f.name for f in plain if f.type == "code" and UNKNOWN_CODE not in f.codes]
        case "range":
            return [f.name for f in plain if f.type in NUMERIC and f.maximum is not None]
        case "not_above":
            return [f.name for f in plain if f.not_above and part in f.required_in]
        case "duplicate_key":
            return [_other_code(contract).name]
        case "foreign_key":
            return [f.fields[0] for f in contract.foreign_keys if len(f.fields) == 1]
        case "field_count":
            return [""] if file_format == "csv" else []
        case "part":
            return [contract.parts.field] if contract.parts else []
        case "pattern":
            return [f.name for f in plain if f.pattern]
        case "max_length":
            return [f.name for f in plain if f.max_length]
        case _:
            return [f.name for f in plain if f.type == "decimal" and f.scale is not None]


def _other_code(contract: Contract) -> ContractField:
    """The field in which a second row of the same key differs."""
    taken = set(contract.primary_key) | ({contract.parts.field} if contract.parts else set())
    return next(f for f in contract.fields.values() if f.name not in taken and len(f.codes) > 1)


def _fits(table: Table, row: int, fault: Fault, contract: Contract) -> bool:
    """Whether breaking the row shows: what it is compared with must be there."""
    spec = contract.fields.get(fault.field)
    return fault.rule != "not_above" or spec is None or table[str(spec.not_above)].cell(row) != ""


def _break(broken: list[str], names: list[str], fault: Fault, contract: Contract, number: int) -> None:
    """Change the cells of one row so that they break the rule, and nothing else."""
    if fault.rule == "field_count":
        broken.append("")
        return
    spec = contract.fields[fault.field]
    at = names.index(fault.field)
    match fault.rule:
        case "required":
            broken[at] = ""
        case "type":
            broken[at] = THOUSANDS
        case "year":
            broken[at] = str(int(broken[at]) - 1)
        case "code":
            broken[at] = UNKNOWN_CODE
        case "range":
            broken[at] = str(int(spec.maximum or 0) + 1)
        case "not_above":
            broken[at] = str(int(broken[names.index(str(spec.not_above))]) + 1)
        case "duplicate_key":
            broken[at] = next(code for code in spec.codes if code != broken[at])
        case "foreign_key":
            broken[at] = unknown_student_id(number) if spec.type == "student_id" else UNKNOWN_ORGANISATION
        case "part":
            broken[at] = next(code for code in spec.codes if code != broken[at])
        case "pattern":
            broken[at] = "A-B"
        case "max_length":
            broken[at] = "X" * ((spec.max_length or 0) + 1)
        case _:
            broken[at] = f"{int(spec.minimum or 0) + 1}.{'0' * (spec.scale or 0)}5"


def _free_rows(table: Table, allowed: npt.NDArray[np.int64] | None, rng: np.random.Generator) -> Iterator[int]:
    """Rows in random order, each once, no two of one student."""
    column = table.get("sasid")
    seen: set[int] = set()
    for row in rng.permutation(row_count(table)):
        if isinstance(column, Numbers):
            student = int(column.values[row])
            if student in seen or (allowed is not None and student not in _Membership(allowed)):
                continue
            seen.add(student)
        yield int(row)


@dataclass(frozen=True)
class _Membership:
    """Look-up in a sorted array."""

    values: npt.NDArray[np.int64]

    def __contains__(self, value: int) -> bool:
        at = int(np.searchsorted(self.values, value))
        return at < len(self.values) and int(self.values[at]) == value


def independent_students(
    identifiers: npt.NDArray[np.int64], parts: int, seed: int, year: int
) -> list[npt.NDArray[np.int64]]:
    """Split students with a row in every part among the parts, so that none has broken rows in two of them."""
    rng = generator(seed, year, Stream.DEFECTS)
    share = rng.integers(0, parts, len(identifiers))
    return [np.sort(identifiers[share == part]) for part in range(parts)]
