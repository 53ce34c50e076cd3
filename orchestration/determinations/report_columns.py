"""The columns of an accountability report: which indicators stand in which category, and what each category weighs.

Belongs here: columns, categories, weights and which columns a level of organisation has. Does not: any arithmetic.
Source: rulebook sections 2, 3 and 4; the weights are printed on the reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from orchestration import policy_tables as tables
from orchestration.errors import InputError
from orchestration.policy import PolicyRow, Register

GRADESPANS = ("non_high", "high")
POPULATIONS = ("all", "lowest")
COLUMNS = tuple(f"{gradespan}_{population}" for gradespan in GRADESPANS for population in POPULATIONS)
LEVELS = ("school", "district", "state")
ALL_STUDENTS = "all_students"
LOWEST_PERFORMING = "lowest_performing"
EL_CATEGORY = "el_progress"
"""The category without which a column is weighed by its other scheme."""
SCHEMES = {True: "with_el", False: "without_el"}


@dataclass(frozen=True)
class ReportColumn:
    """One column: category to its indicators, and with or without EL the category to the row of its percent."""

    name: str
    gradespan: str
    categories: Mapping[str, tuple[str, ...]]
    weights: Mapping[bool, Mapping[str, PolicyRow]]

    @cached_property
    def indicators(self) -> tuple[str, ...]:
        """All indicators of the column, in the order of the categories."""
        return tuple(indicator for members in self.categories.values() for indicator in members)


def report_columns(register: Register, year: int) -> dict[str, ReportColumn]:
    """Column name to column, weights checked to sum to 100. Raises InputError naming the row at fault."""
    categories = _categories(register, year)
    weights = tables.table(register, year, "weight")
    expected = {
        f"{column}_{SCHEMES[with_el]}_{category}": (column, with_el, category)
        for column, members in categories.items()
        for with_el in (True, False)
        if not with_el or EL_CATEGORY in members
        for category in members
        if with_el or category != EL_CATEGORY
    }
    tables.exactly(weights, expected, "weight", year)
    schemes: dict[str, dict[bool, dict[str, PolicyRow]]] = {column: {} for column in categories}
    for parameter, (column, with_el, category) in expected.items():
        schemes[column].setdefault(with_el, {})[category] = weights[parameter]
    for column, by_scheme in schemes.items():
        for with_el, scheme in by_scheme.items():
            total = sum(tables.number(row, 0, 100) for row in scheme.values())
            if total != 100:
                first = next(iter(scheme.values()))
                raise InputError(
                    f"{first.where}: the weights of {column}_{SCHEMES[with_el]} sum to {total}, not to 100"
                )
    return {
        column: ReportColumn(column, column.rpartition("_")[0], members, schemes[column])
        for column, members in categories.items()
    }


def category_weights(register: Register, year: int) -> dict[tuple[str, bool], Mapping[str, PolicyRow]]:
    """(gradespan, with EL) to category to the row of its percent: the all-students columns."""
    columns = report_columns(register, year)
    return {
        (gradespan, with_el): columns[f"{gradespan}_all"].weights[with_el]
        for gradespan in GRADESPANS
        for with_el in (True, False)
    }


def column_name(gradespan: str, student_group: str, group_population: str) -> str:
    """The column that holds a group's points; one of the other student groups has that of `group_population`."""
    population = {ALL_STUDENTS: "all", LOWEST_PERFORMING: "lowest"}.get(student_group, group_population)
    return f"{gradespan}_{population}"


def reported_columns(register: Register, year: int, level: str) -> tuple[str, ...]:
    """Columns that a report of a school, a district or the state has in `year` (rule lowest_performing)."""
    found = []
    for gradespan in GRADESPANS:
        row = register.row(year, "lowest_performing", f"{level}_{gradespan}")
        found.append(f"{gradespan}_all")
        if tables.word(row, ("reported", "not_reported")) == "reported":
            found.append(f"{gradespan}_lowest")
    return tuple(found)


def _categories(register: Register, year: int) -> dict[str, dict[str, tuple[str, ...]]]:
    """Column to category to indicators; the indicators that there are stand in the rule indicator_direction."""
    known = tables.table(register, year, "indicator_direction")
    found: dict[str, dict[str, tuple[str, ...]]] = {column: {} for column in COLUMNS}
    for parameter, row in tables.table(register, year, "column_indicators").items():
        column = next((name for name in COLUMNS if parameter.startswith(f"{name}_")), None)
        if column is None:
            raise InputError(f"{row.where}: parameter '{parameter}' of column_indicators begins with no column")
        indicators = tables.words(row, known)
        if twice := {i for members in found[column].values() for i in members} & set(indicators):
            raise InputError(f"{row.where}: {min(twice)} stands in two categories of {column}")
        found[column][parameter.removeprefix(f"{column}_")] = indicators
    for column, members in found.items():
        if not members:
            raise InputError(f"policy: no row for year {year}, rule column_indicators, parameter {column}_…")
        if column.endswith("_all") and EL_CATEGORY not in members:
            raise InputError(
                f"policy: no row for year {year}, rule column_indicators, parameter {column}_{EL_CATEGORY}"
            )
    return found
