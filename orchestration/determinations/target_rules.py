"""The rules of targets of one year, built from the policy register and checked before any data.

Belongs here: typed parameters with their rows. Does not: any target. Source: rulebook section 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from orchestration import policy_tables as tables
from orchestration.determinations.report_columns import GRADESPANS
from orchestration.errors import InputError
from orchestration.policy import PolicyRow, Register

HISTORIES = ("before", "during")
"""Whose one-year gains are typical: of the two years before the target's, or from the baseline into its year."""
LEVELS = ("school", "district", "state")


@dataclass(frozen=True)
class TargetRules:
    """Everything that decides targets of `year`. Without `sets_targets` there are none.

    `scales`: measure to the ends of its scale. `workbook_names`: indicator to its name in the published workbook.
    `path_reference`: the year whose level decides the path, None where no paths are assigned.
    """

    year: int
    sets_targets: bool
    lower_is_better: frozenset[str]
    workbook_names: Mapping[str, str]
    gradespans: Mapping[str, str]
    groups: Mapping[str, str]
    scales: Mapping[str, tuple[Decimal, Decimal]]
    scale_rows: Mapping[str, PolicyRow]
    histories: tuple[str, ...]
    population: str
    baseline_groups: int
    minimum_step: Decimal
    step_rows: tuple[PolicyRow, ...]
    path_reference: int | None
    path_indicators: tuple[str, ...]
    path_below: str
    path_otherwise: str
    path_rows: tuple[PolicyRow, ...]


def target_rules(register: Register, year: int) -> TargetRules:
    """The rules of `year`. Raises InputError naming the row that is missing, unknown or contradicts another."""
    calendar = register.row(year, "calendar", "determinations")
    directions = tables.table(register, year, "indicator_direction")
    lower = {name for name, row in directions.items() if tables.word(row, ("higher", "lower")) == "lower"}
    names = tables.table(register, year, "target_indicator")
    for name, row in names.items():
        if name not in directions:
            raise InputError(f"{row.where}: indicator '{name}' is in no row of indicator_direction")
    spans = tables.exactly(tables.table(register, year, "gradespan_label"), GRADESPANS, "gradespan_label", year)
    scales = tables.table(register, year, "measure_scale")
    step = tables.exactly(
        tables.table(register, year, "target_step"),
        ("history", "population", "baseline_groups", "minimum"),
        "target_step",
        year,
    )
    path = tables.exactly(
        tables.table(register, year, "target_path"),
        ("assigned", "indicators", "reference_year", "below_reference", "otherwise"),
        "target_path",
        year,
    )
    reference = tables.whole(path["reference_year"])
    return TargetRules(
        year=year,
        sets_targets=tables.word(calendar, ("full", "percentiles_only", "none")) == "full",
        lower_is_better=frozenset(lower),
        workbook_names={name: row.value for name, row in names.items()},
        gradespans={row.value: name for name, row in spans.items()},
        groups={row.value: name for name, row in tables.table(register, year, "group_label").items()},
        scales={name: _ends(row) for name, row in scales.items()},
        scale_rows=scales,
        histories=tables.words(step["history"], HISTORIES),
        population=tables.word(step["population"], LEVELS),
        baseline_groups=tables.whole(step["baseline_groups"], 1),
        minimum_step=tables.number(step["minimum"]),
        step_rows=tuple(step.values()),
        path_reference=reference if tables.flag(path["assigned"]) else None,
        path_indicators=tables.words(path["indicators"], names),
        path_below=path["below_reference"].value,
        path_otherwise=path["otherwise"].value,
        path_rows=tuple(path.values()),
    )


def _ends(row: PolicyRow) -> tuple[Decimal, Decimal]:
    parts = row.value.split()
    try:
        low, high = (Decimal(part) for part in parts)
    except (ArithmeticError, ValueError):
        raise InputError(f"{row.where}: value '{row.value}' of {tables.name(row)} is not two numbers") from None
    if low >= high:
        raise InputError(f"{row.where}: value '{row.value}' of {tables.name(row)} does not ascend")
    return low, high
