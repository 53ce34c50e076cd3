"""The public tables of a release: which tables and columns the public sees, and the figures that are taken out.

Belongs here: reading the release's tables, what policy says of them, blanking. Does not: counts of populations
(`counting`), which of these are withheld (`withholding`), writing files (`public_variant`).

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
import pyarrow.parquet as pq

from orchestration.errors import InputError
from orchestration.policy import Register
from orchestration.publication.counting import (
    ALL_STUDENTS,
    DEPTH,
    ENROLMENTS,
    MEASURED,
    ORGANISATIONS,
    Numbers,
    Place,
    Population,
    Populations,
    counts_of,
    populations_of,
)
from orchestration.publication.lines import lines_of
from orchestration.publication.withholding import SMALL, Withholding

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
    public = [name for name in names if _is_public(name, register, year)]
    columns = {name: _columns(name, register, year) for name in public}
    tables = {name: _read(folder, name, columns[name]) for name in public}
    if not tables:
        return Public({}, {}, 0, {}, tuple(names))
    if ORGANISATIONS not in tables:
        raise InputError(f"{folder / ORGANISATIONS}.parquet: is missing; without it no public table can be made")
    places = _places(tables[ORGANISATIONS])
    places |= _closed(tables, places, year)
    populations = populations_of(tables, places)
    why, number = _withheld(tables, populations, register, year)
    is_withheld = np.zeros(len(populations), np.bool_)
    is_withheld[list(why)] = True
    word = register.row(year, "suppression", "word").value
    withhold_extremes = _choice(register, year, "extreme_value", "withhold", "publish") == "withhold"
    made: dict[str, pa.Table] = {}
    blanked: dict[str, int] = {}
    for name, table in tables.items():
        _check_figures(name, table.schema, columns[name])
        gone = _gone(name, table, columns[name][1], populations, is_withheld, extremes=withhold_extremes)
        made[name], blanked[name] = _blanked(table, columns[name], gone, word)
    internal = tuple(name for name in names if name not in tables)
    return Public(made, {populations.name(p): reason for p, reason in why.items()}, number, blanked, internal)


# --- Policy ----------------------------------------------------------------------------------------------------------


def _is_public(name: str, register: Register, year: int) -> bool:
    if register.find(year, "public_table", name) is None:
        raise InputError(
            f"{name}: no policy row says whether this table is public; add rule public_table, parameter {name}, value "
            "public or internal"
        )
    return _choice(register, year, name, "public", "internal", rule="public_table") == "public"


def _choice(register: Register, year: int, parameter: str, *allowed: str, rule: str = "suppression") -> str:
    row = register.row(year, rule, parameter)
    if row.value not in allowed:
        raise InputError(f"{row.where}: {rule}.{parameter} is '{row.value}'; it must be {' or '.join(allowed)}")
    return row.value


def _columns(name: str, register: Register, year: int) -> tuple[list[str], list[str]]:
    """Columns that stay, and figures; the figures of a table may be none."""
    figures = register.find(year, "public_figures", name)
    return register.row(year, "public_columns", name).value.split(), figures.value.split() if figures else []


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
    """A table with the columns that its public variant or the counts need."""
    path = folder / f"{name}.parquet"
    there = pq.read_schema(path).names
    key, counts, figures = MEASURED.get(name, ("org_code", (), ()))
    needed = {*columns[0], *columns[1], "org_code", key, *counts, *figures}
    if name in MEASURED:
        needed |= {"gradespan", "student_group"}
    if name == ORGANISATIONS:
        needed |= {"org_type", "district_code", *ENROLMENTS}
    if missing := sorted((needed - {"status"}) - set(there)):
        raise InputError(f"{path}: column {missing[0]} is missing; the public variant needs it")
    return pq.read_table(path, columns=[column for column in there if column in needed])


def _places(organisations: pa.Table) -> dict[str, Place]:
    rows = organisations.select(["org_code", "org_type", "district_code"]).to_pylist()
    state = next((row["org_code"] for row in rows if row["org_type"] == "state"), None)
    types = {row["org_code"]: row["org_type"] for row in rows}
    found = {}
    for row in rows:
        code, kind = row["org_code"], row["org_type"]
        if kind not in DEPTH:
            raise InputError(f"{ORGANISATIONS}: {code} has org_type '{kind}'; it must be one of {', '.join(DEPTH)}")
        if kind == "school" and types.get(row["district_code"]) != "district":
            raise InputError(f"{ORGANISATIONS}: district_code of school {code} is not a district of that table")
        found[code] = Place(kind, {"state": None, "district": state, "school": row["district_code"]}[kind])
    return found


def _closed(tables: Mapping[str, pa.Table], places: Mapping[str, Place], year: int) -> dict[str, Place]:
    """Schools that have closed since the data year of their figures; their district shares the first four digits."""
    districts = {code[:4]: code for code, place in places.items() if place.org_type == "district"}
    results = tables.get("indicator_results")
    if results is None:
        return {}
    earlier = results.filter(pc.less(results.column("data_year"), year)).column("org_code")
    past = set(pc.unique(earlier).to_pylist()) - places.keys()
    return {code: Place("school", districts[code[:4]]) for code in sorted(past) if code[:4] in districts}


def _withheld(
    tables: Mapping[str, pa.Table], populations: Populations, register: Register, year: int
) -> tuple[dict[int, str], int]:
    """What is withheld and why, and how many populations there are."""
    counts, unknown = counts_of(tables, populations)
    minimum = register.integer(year, "suppression", "minimum_cell")
    printed = {f for name in tables for f in _columns(name, register, year)[1]}
    lines = lines_of(
        {m: of for m, of in counts.items() if m.split()[-1] in printed},  # the others cannot be subtracted
        populations,
        register.row(year, "gate_identity", "race_groups").value.split(),
        register.row(year, "gate_identity", "high_needs_groups").value.split(),
        pairs=_choice(register, year, "complement", "withhold", "publish") == "withhold",
    )
    withholding = Withholding(lines, populations, minimum)
    small = [of.populations[of.counts < minimum] for of in counts.values()]
    for number in np.concatenate([*small, unknown]).tolist():
        withholding.withhold(number, SMALL)
    withholding.settle()
    return withholding.why, len(np.unique(np.concatenate([*(of.populations for of in counts.values()), unknown])))


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
