"""An attacker of public tables: adds and subtracts what is printed, and says which blanks that gives away.

Belongs here: unknowns and sums, from the public tables alone; exact fractions. Does not: anything of the code under
test. That race groups make up All Students, schools their district and districts the state is taken as given.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

RACES = ("american_indian", "asian", "black", "hispanic", "multi_race", "pacific_islander", "white")
WITHIN = {"all_students": None, "high_needs": ("low_income", "el_and_former_el", "students_with_disabilities")}
"""Group to the groups whose complement in it can be worked out; None for all."""
PRINTED = {"indicator_results": ("indicator", "n"), "participation_results": ("subject", "should_test")}
SPANS = {"enrolment_non_high": "non_high", "enrolment_high": "high"}
Rows = Mapping[str, list[dict[str, Any]]]


class Cell(NamedTuple):
    """One count that a table has a row for."""

    measure: str
    org_code: str
    gradespan: str
    student_group: str


class Loot(NamedTuple):
    """Blank cells that follow from printed ones, and small counts that are printed or follow."""

    recovered: set[Cell]
    small: set[tuple[Cell, str]]


def read(folder: Path) -> Rows:
    """Every table of a folder."""
    return {path.stem: pq.read_table(path).to_pylist() for path in sorted(folder.glob("*.parquet"))}


def cells(tables: Rows) -> dict[Cell, int | None]:
    """Every count that there is a row for: printed, or None where it is blank."""
    found: dict[Cell, int | None] = {}
    for name, (key, count) in PRINTED.items():
        for row in tables.get(name, ()):
            found[Cell(f"{name} {row[key]}", row["org_code"], row["gradespan"], row["student_group"])] = row[count]
    for row in tables["organisations"]:
        for column, span in SPANS.items():
            found[Cell("enrolment", row["org_code"], span, "all_students")] = row[column]
    return found


def attack(tables: Rows, minimum: int) -> Loot:
    """What an attacker learns from public tables."""
    known = cells(tables)
    equations = list(_equations(known, tables["organisations"]))
    solved = _solve(equations, known)
    recovered = {c for c in solved if known[c] is None}
    values = {c: Fraction(v) for c, v in known.items() if v is not None} | solved
    small = {(c, "count") for c, v in values.items() if 0 < v < minimum}
    for cell, value in values.items():
        for whole, groups in WITHIN.items():
            if cell.student_group != whole and (groups is None or cell.student_group in groups):
                total = values.get(cell._replace(student_group=whole))
                if total is not None and 0 < total - value < minimum:
                    small.add((cell, f"rest of {whole}"))
    return Loot(recovered | _elsewhere(known), small)


def _elsewhere(known: Mapping[Cell, int | None]) -> set[Cell]:
    """Blank cells of a population that another table or measure prints a count of."""
    printed = {c[1:] for c, v in known.items() if v}
    return {c for c, v in known.items() if v is None and c[1:] in printed}


def _equations(
    known: Mapping[Cell, int | None], organisations: Iterable[Mapping[str, Any]]
) -> Iterable[tuple[Cell, list[Cell]]]:
    """A total that there is a row for, and its parts."""
    state = next(o["org_code"] for o in organisations if o["org_type"] == "state")
    above = {o["org_code"]: o["district_code"] if o["org_type"] == "school" else state for o in organisations}
    races: dict[Cell, list[Cell]] = defaultdict(list)
    places: dict[Cell, list[Cell]] = defaultdict(list)
    for cell in known:
        if cell.student_group in RACES:
            races[cell._replace(student_group="all_students")].append(cell)
        if cell.org_code != state:
            places[cell._replace(org_code=above[cell.org_code])].append(cell)
    for sums in (races, places):
        yield from sums.items()


def _solve(equations: list[tuple[Cell, list[Cell]]], known: Mapping[Cell, int | None]) -> dict[Cell, Fraction]:
    """Unknowns with one solution and that solution: reduced row echelon form in exact fractions.

    Row operations stay within a component by themselves, for a row is only ever combined with rows it shares unknowns
    with. A cell without a row is an unknown as a total; as a part it is zero. Where equations that should hold do not,
    what follows from them is still counted as recovered.
    """
    solved: dict[Cell, tuple[dict[Cell, Fraction], Fraction, bool]] = {}
    users: dict[Cell, set[Cell]] = defaultdict(set)
    for total, parts in equations:
        row: dict[Cell, Fraction] = {}
        right, told = Fraction(0), False
        for cell, sign in [(total, -1), *((p, 1) for p in parts)]:
            value = known.get(cell)
            if value is None:
                row[cell] = Fraction(sign)
            else:
                right -= sign * value
                told = told or value != 0
        for pivot in [c for c in row if c in solved]:
            other, of_other, told_by = solved[pivot]
            times = row.get(pivot, Fraction(0))
            row, right, told = _minus(row, other, times), right - times * of_other, told or told_by
        if not row:
            continue
        pivot = min(row, key=lambda c: (len(users[c]), c))
        by = row[pivot]
        row, right = {c: v / by for c, v in row.items()}, right / by
        for user in list(users[pivot]):
            old, of_old, told_old = solved[user]
            times = old[pivot]
            new = _minus(old, row, times)
            solved[user] = (new, of_old - times * right, told or told_old)
            for c in old.keys() - new.keys():
                users[c].discard(user)
            for c in new.keys() - old.keys():
                users[c].add(user)
        solved[pivot] = (row, right, told)
        for c in row:
            users[c].add(pivot)
    return {pivot: right for pivot, (row, right, told) in solved.items() if len(row) == 1 and told and pivot in known}


def _minus(row: dict[Cell, Fraction], other: dict[Cell, Fraction], times: Fraction) -> dict[Cell, Fraction]:
    left = dict(row)
    for cell, value in other.items():
        left[cell] = left.get(cell, Fraction(0)) - times * value
        if left[cell] == 0:
            del left[cell]
    return left
