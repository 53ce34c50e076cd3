"""What the room reads: indicator tables of several years, ledgers in force, and the year's own earlier percentages.

Belongs here: files to typed rows. Does not: any rule. A year of which there are no tables is simply absent; a rule that
needs it says so in its status.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain
from pathlib import Path
from sys import intern
from typing import Any, NamedTuple

import pyarrow as pa

from orchestration.determinations.figures import Result
from orchestration.determinations.ledgers import AppliedCorrection, Designation, Recognition
from orchestration.determinations.participation import ParticipationCount
from orchestration.tables import read_table


class Organisation(NamedTuple):
    """A row of the table organisations. Enrolment in students; texts are None where the source has none."""

    org_code: str
    org_type: str
    org_name: str
    district_code: str
    title_i: str | None
    lowest_grade: str | None
    highest_grade: str | None
    enrolment: int
    enrolment_non_high: int
    enrolment_high: int
    schools: int


@dataclass(frozen=True)
class Inputs:
    """Everything that decides the determinations of `year`.

    `results` of the year and the earlier years that there are; `prior_annuals`: (org_code, student_group) to the kept
    annual percentage of the prior year with its trace key, as it stands now.
    """

    year: int
    results: tuple[Result, ...]
    participation: tuple[ParticipationCount, ...]
    organisations: Mapping[str, Organisation]
    designations: tuple[Designation, ...] = ()
    recognitions: tuple[Recognition, ...] = ()
    published_targets: tuple[Mapping[str, object], ...] = ()
    prior_annuals: Mapping[tuple[str, str], Decimal] | None = None
    corrections: tuple[AppliedCorrection, ...] = ()


def read_inputs(year: int, present: Mapping[int, Path], earlier: Path | None) -> Inputs:
    """Everything for `year` from the folders of indicator tables by year, and from that of the prior year's release."""
    results = tuple(chain.from_iterable(map(read_results, present.values())))
    scored = read_scored(year, present[year], earlier, results)
    return replace(scored, participation=tuple(read_participation(present[year])))


def read_scored(year: int, own: Path, earlier: Path | None, results: tuple[Result, ...]) -> Inputs:
    """What organisations with these results are scored by: everything but participation."""
    return Inputs(
        year=year,
        results=results,
        participation=(),
        organisations=read_organisations(own),
        designations=read_designations([own / "designations.parquet"]),
        recognitions=read_recognitions([own / "recognitions.parquet"]),
        published_targets=read_published_targets([own / "published_targets.parquet"]),
        corrections=read_corrections(own),
        prior_annuals=read_prior_annuals(earlier) if earlier else None,
    )


def read_results(folder: Path) -> Iterator[Result]:
    """Rows of indicator_results; a row without n (the hub has none) counts as n 0 unless its status is ok."""
    columns = dict(_columns(folder / "indicator_results.parquet", Result._fields))
    columns["n"] = [n or 0 for n in columns["n"]]
    return map(Result._make, zip(*columns.values(), strict=True))


def read_participation(folder: Path) -> Iterator[ParticipationCount]:
    """Rows of participation_results."""
    rows = _rows(folder / "participation_results.parquet", ParticipationCount._fields)
    return map(ParticipationCount._make, rows)


def read_organisations(folder: Path) -> dict[str, Organisation]:
    """Organisation code to its row."""
    return {row[0]: Organisation(*row) for row in _rows(folder / "organisations.parquet", Organisation._fields)}


def read_prior_annuals(folder: Path) -> dict[tuple[str, str], Decimal]:
    """(org_code, student_group) to the kept annual percentage of a year's target_percentages."""
    columns = ("org_code", "student_group", "stage", "kept")
    rows = _rows(folder / "target_percentages.parquet", columns)
    return {(org, group): kept for org, group, stage, kept in rows if stage == "annual" and kept is not None}


def read_designations(files: list[Path]) -> tuple[Designation, ...]:
    """Rows of the ledger in force."""
    return tuple(Designation(*row) for file in files for row in _rows(file, tuple(Designation.__dataclass_fields__)))


def read_recognitions(files: list[Path]) -> tuple[Recognition, ...]:
    """Rows of the ledger in force."""
    return tuple(Recognition(*row) for file in files for row in _rows(file, tuple(Recognition.__dataclass_fields__)))


def read_corrections(folder: Path) -> tuple[AppliedCorrection, ...]:
    """Rows of applied_corrections."""
    return tuple(
        AppliedCorrection(*row) for row in _rows(folder / "applied_corrections.parquet", AppliedCorrection._fields)
    )


def read_published_targets(files: list[Path]) -> tuple[Mapping[str, object], ...]:
    """Rows of the Department's workbook by the contract's field names."""
    return tuple(row for file in files for row in read_table(file).to_pylist())


def _rows(file: Path, columns: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    """Rows of the columns asked for, in that order."""
    return zip(*(values for _, values in _columns(file, columns)), strict=True)


def _columns(file: Path, names: tuple[str, ...]) -> Iterator[tuple[str, list[Any]]]:
    """The columns asked for, in that order, with their values."""
    table = read_table(file, names)
    return ((name, _values(table.column(name).combine_chunks())) for name in names)


def _values(column: pa.Array) -> list[Any]:
    """Values of a column; equal ones are one object, since half a million rows have few that differ."""
    encoded = column.dictionary_encode(null_encoding="encode")
    known = [intern(value) if isinstance(value, str) else value for value in encoded.dictionary.to_pylist()]
    return [known[place] for place in encoded.indices.to_numpy().tolist()]
