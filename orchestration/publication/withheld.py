"""The populations of a year that the public may not see, from its tables of counts and policy.

Belongs here: places and counts of the tables, what policy says of small counts. Does not: which populations keep
another from being subtracted out (`withholding`), nor what is left of a table without them (`suppression`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.errors import InputError
from orchestration.policy import Register
from orchestration.publication.counting import (
    DEPTH,
    ENROLMENTS,
    MEASURED,
    ORGANISATIONS,
    Place,
    Populations,
    counts_of,
    populations_of,
)
from orchestration.publication.lines import lines_of
from orchestration.publication.withholding import SMALL, Withholding
from orchestration.tables import read_table

COUNTED = (*MEASURED, ORGANISATIONS)
"""Tables with counts of students: all that withholding rests on besides policy."""


@dataclass(frozen=True)
class Withheld:
    """Populations by number: who is withheld with the reason, and how many have a count."""

    populations: Populations
    why: dict[int, str]
    counted: int


def withheld_populations(folder: Path, register: Register, year: int) -> Withheld:
    """Who is withheld, by the tables of counts in `folder` that policy has as public.

    Raises InputError where there is no directory, a column is missing or an organisation is not in the directory.
    """
    there = [name for name in COUNTED if (folder / f"{name}.parquet").exists() and is_public(name, register, year)]
    if ORGANISATIONS not in there:
        raise InputError(f"{folder / ORGANISATIONS}.parquet: is missing; without it no public table can be made")
    tables = {name: _counts(folder, name) for name in there}
    places = _places(tables[ORGANISATIONS])
    places |= _closed(tables, places, year)
    populations = populations_of(tables, places)
    counts, unknown = counts_of(tables, populations)
    minimum = register.integer(year, "suppression", "minimum_cell")
    printed = {figure for name in there for figure in figures_of(name, register, year)}
    lines = lines_of(
        {m: of for m, of in counts.items() if m.split()[-1] in printed},  # the others cannot be subtracted
        populations,
        register.row(year, "gate_identity", "race_groups").value.split(),
        register.row(year, "gate_identity", "high_needs_groups").value.split(),
        pairs=choice(register, year, "complement", "withhold", "publish") == "withhold",
    )
    withholding = Withholding(lines, populations, minimum)
    small = [of.populations[of.counts < minimum] for of in counts.values()]
    for number in np.concatenate([*small, unknown]).tolist():
        withholding.withhold(number, SMALL)
    withholding.settle()
    counted = len(np.unique(np.concatenate([*(of.populations for of in counts.values()), unknown])))
    return Withheld(populations, withholding.why, counted)


def is_public(name: str, register: Register, year: int) -> bool:
    """Whether the public sees a table. Raises InputError for one that policy does not name."""
    if register.find(year, "public_table", name) is None:
        raise InputError(
            f"{name}: no policy row says whether this table is public; add rule public_table, parameter {name}, value "
            "public or internal"
        )
    return choice(register, year, name, "public", "internal", rule="public_table") == "public"


def figures_of(name: str, register: Register, year: int) -> list[str]:
    """Columns of a public table that go with a withheld population; a table may have none."""
    figures = register.find(year, "public_figures", name)
    return figures.value.split() if figures else []


def choice(register: Register, year: int, parameter: str, *allowed: str, rule: str = "suppression") -> str:
    """A word of policy. Raises InputError for one that is not allowed."""
    row = register.row(year, rule, parameter)
    if row.value not in allowed:
        raise InputError(f"{row.where}: {rule}.{parameter} is '{row.value}'; it must be {' or '.join(allowed)}")
    return row.value


def counting_columns(name: str) -> set[str]:
    """Columns of a table that populations and their counts are read from."""
    if name == ORGANISATIONS:
        return {"org_code", "org_type", "district_code", *ENROLMENTS}
    key, counts, figures = MEASURED[name]
    return {"org_code", "gradespan", "student_group", key, *counts, *figures}


def read(path: Path, needed: set[str], optional: str = "") -> pa.Table:
    """The columns that are needed, in the table's own order. Raises InputError for one that is missing."""
    there = pq.read_schema(path).names
    if missing := sorted(needed - {optional, *there}):
        raise InputError(f"{path}: column {missing[0]} is missing; the public variant needs it")
    return read_table(path, columns=[column for column in there if column in needed])


def _counts(folder: Path, name: str) -> pa.Table:
    dated = {"data_year"} if name == "indicator_results" else set()
    return read(folder / f"{name}.parquet", counting_columns(name) | dated)


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
