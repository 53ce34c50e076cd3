"""Populations by number, and their counts as columns: what the public tables' figures are about.

Belongs here: numbering populations, reading counts of them from tables. Does not: which counts tie together (`lines`),
and which are withheld (`withholding`).

A population is a place, a gradespan and a student group. Its number counts through places, gradespans and groups in
the order of their names, so that numbers sort as names do and a population's district or All Students is a sum away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.errors import InputError

Numbers = npt.NDArray[np.int64]
ALL_STUDENTS = "all_students"
HIGH_NEEDS = "high_needs"
DEPTH = {"state": 0, "district": 1, "school": 2}
ORGANISATIONS = "organisations"
MEASURED = {
    "indicator_results": ("indicator", ("n", "denominator"), ("value",)),
    "participation_results": ("subject", ("n", "should_test", "two_year_should_test"), ("rate", "two_year_rate")),
}
"""Table of counts to the column that names its measures, its counts, its figures that are a share or a mean."""
ENROLMENTS = {"enrolment_non_high": "non_high", "enrolment_high": "high"}
"""Column of organisations to the gradespan that it counts. The whole enrolment is not published: less its gradespans
it leaves the pupils before kindergarten and after grade 12, a few in many schools."""


class Population(NamedTuple):
    """Whom a count is about."""

    org_code: str
    gradespan: str
    student_group: str


class Place(NamedTuple):
    """An organisation and the one above it, None for the state."""

    org_type: str
    above: str | None


class Counted(NamedTuple):
    """Counts of one measure: numbers of populations and a count above zero of each. Zeros are public and left out."""

    populations: Numbers
    counts: Numbers


@dataclass(frozen=True)
class Populations:
    """Every population that could be: all places, gradespans and groups, each list sorted."""

    places: list[str]
    spans: list[str]
    groups: list[str]
    depth: Numbers
    """Of each place: 0 for the state."""
    above: Numbers
    """Of each place: the number of the place above it, -1 for none."""

    def __len__(self) -> int:
        return len(self.places) * len(self.spans) * len(self.groups)

    def numbers(self, codes: Any, spans: Any, groups: Any) -> Numbers:
        """Numbers of columns of names, or of one name for all, -1 where a name is not known."""
        place, span, group = position(codes, self.places), position(spans, self.spans), position(groups, self.groups)
        known = (place >= 0) & (span >= 0) & (group >= 0)
        return np.where(known, (place * len(self.spans) + span) * len(self.groups) + group, -1)

    def place_of(self, numbers: Numbers) -> Numbers:
        """The place of each population."""
        return numbers // (len(self.spans) * len(self.groups))

    def group_of(self, numbers: Numbers) -> Numbers:
        """The group of each population."""
        return numbers % len(self.groups)

    def one_above(self, numbers: Numbers) -> Numbers:
        """The same gradespan and group in the place above, -1 for the state's."""
        place = self.place_of(numbers)
        above = self.above[place]
        return np.where(above < 0, -1, numbers + (above - place) * len(self.spans) * len(self.groups))

    def of_group(self, numbers: Numbers, group: str) -> Numbers:
        """The same place and gradespan, but another group."""
        return numbers - self.group_of(numbers) + self.groups.index(group)

    def are_in(self, numbers: Numbers, groups: Iterable[str]) -> npt.NDArray[np.bool_]:
        """Whether each population's group is one of some."""
        groups = frozenset(groups)
        return np.array([group in groups for group in self.groups])[self.group_of(numbers)]

    def name(self, number: int) -> Population:
        """A population by its names."""
        rest, group = divmod(number, len(self.groups))
        place, span = divmod(rest, len(self.spans))
        return Population(self.places[place], self.spans[span], self.groups[group])


def position(column: Any, names: list[str]) -> Any:
    """Where each value of a column (or a single one) stands in a list of names, -1 if it does not."""
    if isinstance(column, str):
        return names.index(column)
    found = pc.fill_null(pc.index_in(column, value_set=pa.array(names, pa.string())), -1)
    return np.asarray(found).astype(np.int64)


def populations_of(tables: Mapping[str, pa.Table], places: Mapping[str, Place]) -> Populations:
    """Numbers for all populations of the tables of counts."""
    names = {"gradespan": set(ENROLMENTS.values()), "student_group": {ALL_STUDENTS, HIGH_NEEDS}}
    for table in (tables[name] for name in MEASURED if name in tables):
        for column, found in names.items():
            found |= set(pc.unique(table.column(column)).to_pylist())
    codes = sorted(places)
    number = {code: place for place, code in enumerate(codes)} | {None: -1}
    return Populations(
        codes,
        sorted(names["gradespan"]),
        sorted(names["student_group"]),
        np.array([DEPTH[places[code].org_type] for code in codes], np.int64),
        np.array([number[places[code].above] for code in codes], np.int64),
    )


def counts_of(tables: Mapping[str, pa.Table], populations: Populations) -> tuple[dict[str, Counted], Numbers]:
    """Measure to counts, and populations with a figure but no count, which may be small.

    Measures stand in the order in which rows and columns first name them, populations in the order of rows.
    """
    counts: dict[str, Counted] = {}
    unknown = [np.empty(0, np.int64)]
    for name, (key, columns, figures) in MEASURED.items():
        if name not in tables:
            continue
        table = tables[name]
        numbers = populations.numbers(*(table.column(c) for c in ("org_code", "gradespan", "student_group")))
        if (numbers < 0).any():
            code = table.column("org_code")[int(np.argmax(numbers < 0))]
            raise InputError(f"{name}: org_code {code} is not in {ORGANISATIONS}")
        counted = {column: _whole(table.column(column)) for column in columns}
        has_figure = np.any([np.asarray(pc.is_valid(table.column(f))) for f in figures], axis=0)
        unknown.append(numbers[has_figure & ~np.any([of > 0 for of in counted.values()], axis=0)])
        counts |= _by_measure(name, table.column(key), numbers, counted)
    table = tables[ORGANISATIONS]
    for column, span in ENROLMENTS.items():
        of = _whole(table.column(column))
        if (there := of > 0).any():
            numbers = populations.numbers(table.column("org_code"), span, ALL_STUDENTS)
            counts[f"{ORGANISATIONS} {column}"] = Counted(numbers[there], of[there])
    return counts, np.concatenate(unknown)


def _whole(column: Any) -> Numbers:
    """A column of whole numbers, zero where there is none."""
    return np.asarray(pc.fill_null(column.cast(pa.int64()), 0))


def _by_measure(name: str, key: Any, numbers: Numbers, counted: Mapping[str, Numbers]) -> dict[str, Counted]:
    """The counts of one table by what they measure."""
    words = pc.unique(key).to_pylist()
    measured = position(key, words)
    found: list[tuple[int, int, str, Counted]] = []
    for place, word in enumerate(words):
        for order, (column, of) in enumerate(counted.items()):
            rows = np.flatnonzero((measured == place) & (of > 0))
            if len(rows):
                found.append((int(rows[0]), order, f"{name} {word} {column}", Counted(numbers[rows], of[rows])))
    return {measure: of for _, _, measure, of in sorted(found, key=lambda entry: entry[:2])}
