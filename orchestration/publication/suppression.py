"""The public tables of a release: which tables and columns the public sees, and the figures that are taken out.

Belongs here: which tables and columns are public, blanking. Does not: who is withheld (`withheld`), writing files
(`public_variant`).

Tables and columns are rows of policy: `public_table` names every table of a release as public or internal, for a public
one `public_columns` what always stays and `public_figures` what goes with a withheld population. A column that is in
neither is not published. Not covered: bounds (a rounded rate beside its n brackets its numerator), comparisons with
other years' releases, the difference of two measures of one population, and students counted in a district's figure
but in none of its schools'.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.errors import InputError
from orchestration.policy import Register
from orchestration.publication.ahead import withheld_of
from orchestration.publication.counting import (
    ALL_STUDENTS,
    ENROLMENTS,
    MEASURED,
    ORGANISATIONS,
    Numbers,
    Population,
    Populations,
)
from orchestration.publication.withheld import choice, figures_of, is_public, read

Mask = npt.NDArray[np.bool_]
OPEN = ("school_year", "data_year", "schools")
"""Numbers that are not about students."""
EXTREMES = (0, 100)
OK = "ok"


@dataclass(frozen=True)
class Public:
    """The public tables, the populations that were withheld with the reason, and blanked figures by table."""

    tables: dict[str, pa.Table]
    why: dict[Population, str]
    populations: int
    blanked: dict[str, int]
    internal: tuple[str, ...]


def public_tables(folder: Path, register: Register, year: int) -> dict[str, pa.Table]:
    """The public variant of the release in `folder`. Raises InputError for a table that policy does not name."""
    return public_variant(folder, register, year).tables


def public_variant(folder: Path, register: Register, year: int) -> Public:
    """The public tables, and what was done to them."""
    names = sorted(path.stem for path in folder.glob("*.parquet"))
    public = [name for name in names if is_public(name, register, year)]
    internal = tuple(name for name in names if name not in public)
    if not public:
        return Public({}, {}, 0, {}, internal)
    withheld = withheld_of(folder, register, year)
    populations = withheld.populations
    is_withheld = np.zeros(len(populations), np.bool_)
    is_withheld[list(withheld.why)] = True
    word = register.row(year, "suppression", "word").value
    extremes = choice(register, year, "extreme_value", "withhold", "publish") == "withhold"
    made: dict[str, pa.Table] = {}
    blanked: dict[str, int] = {}
    for name in public:
        columns = _columns(name, register, year)
        table = _read(folder, name, columns)
        _check_figures(name, table.schema, columns)
        gone = _gone(name, table, columns[1], populations, is_withheld, extremes=extremes)
        made[name], blanked[name] = _blanked(table, columns, gone, word)
    why = {populations.name(p): reason for p, reason in withheld.why.items()}
    return Public(made, why, withheld.counted, blanked, internal)


# --- Policy ----------------------------------------------------------------------------------------------------------


def _columns(name: str, register: Register, year: int) -> tuple[list[str], list[str]]:
    """Columns that stay, and figures; the figures of a table may be none."""
    return register.row(year, "public_columns", name).value.split(), figures_of(name, register, year)


def _check_figures(name: str, schema: pa.Schema, columns: tuple[list[str], list[str]]) -> None:
    """Refuse a figure of a table of counts that no line protects, and a number that would never be blanked."""
    known = {**{n: (*c, *f) for n, (_, c, f) in MEASURED.items()}, ORGANISATIONS: tuple(ENROLMENTS)}.get(name)
    if known and (strange := sorted(set(columns[1]) - set(known))):
        raise InputError(
            f"policy: public_figures of {name} has {strange[0]}, which nothing protects; only {', '.join(known)} can be"
        )
    text = (pa.string(), pa.bool_(), pa.null())
    if numbers := sorted(f.name for f in schema if f.name in columns[0] and f.type not in text and f.name not in OPEN):
        raise InputError(
            f"policy: public_columns of {name} has the number {numbers[0]}; a figure belongs to public_figures"
        )


# --- Reading ---------------------------------------------------------------------------------------------------------


def _read(folder: Path, name: str, columns: tuple[list[str], list[str]]) -> pa.Table:
    """A table with the columns that its public variant needs, and those that name the population of a row."""
    place = ("org_code", "gradespan", "student_group") if name in MEASURED else ("org_code",)
    return read(folder / f"{name}.parquet", {*columns[0], *columns[1], *place}, optional="status")


# --- Blanking --------------------------------------------------------------------------------------------------------


def _gone(
    name: str, table: pa.Table, figures: list[str], populations: Populations, is_withheld: Mask, *, extremes: bool
) -> dict[str, Mask]:
    """Figure to which of its rows are blanked."""
    codes = table.column("org_code")
    if name == ORGANISATIONS:
        return {f: _among(is_withheld, populations.numbers(codes, ENROLMENTS[f], ALL_STUDENTS)) for f in figures}
    groups = table.column("student_group") if "student_group" in table.column_names else ALL_STUDENTS
    measured = name in MEASURED
    # elsewhere figures of both gradespans together tell of either
    spans = [table.column("gradespan")] if measured else populations.spans
    masks = [_among(is_withheld, populations.numbers(codes, span, groups)) for span in spans]
    gone = {figure: np.logical_or.reduce(masks) for figure in figures}
    if extremes and measured:
        for figure in set(MEASURED[name][2]) & set(figures):
            values = table.column(figure).cast(pa.float64())
            gone[figure] |= np.asarray(pc.is_in(values, value_set=pa.array(EXTREMES, pa.float64())))
    return gone


def _among(is_withheld: Mask, numbers: Numbers) -> Mask:
    """Whether each of some populations is withheld; one that is not known is not."""
    return is_withheld[numbers] & (numbers >= 0)


def _blanked(
    table: pa.Table, columns: tuple[list[str], list[str]], gone: dict[str, Mask], word: str
) -> tuple[pa.Table, int]:
    """The published columns in the table's own order, blanks in place of what is gone, and how many rows have one."""
    rows = np.any(list(gone.values()), axis=0) if gone else np.zeros(table.num_rows, np.bool_)
    status = [c for c in columns[0] if c.endswith("status")]
    made: dict[str, Any] = {}
    for field in table.schema:
        values = table.column(field.name).combine_chunks()
        if field.name in gone:
            made[field.name] = _with(values, gone[field.name], None)
        elif field.name in status:
            made[field.name] = _with(values, rows, word)
        elif field.name in columns[0]:
            made[field.name] = values
    if "status" in status and "status" not in made:
        made["status"] = _with(pa.repeat(OK, table.num_rows), rows, word)
    return pa.table(made), int(rows.sum())


def _with(values: pa.Array, where: Mask, value: str | None) -> pa.Array:
    """The values with another one where said."""
    return pc.if_else(pa.array(where), pa.scalar(value, values.type), values)


def reasons(why: Mapping[Population, str]) -> dict[str, int]:
    """Reason to how many populations are withheld for it."""
    return dict(sorted(Counter(why.values()).items()))
