"""Who is eligible by the Department's own published lists, without any record of ours.

Belongs here: the published percentiles, the public school directory and the public enrolment as tables of a year.
Does not: eligibility and regions, which are those of every other source. The lists tell neither the kind of support,
nor designations, nor staff: organisations under direct oversight come from the crosswalk, and what is printed about
Leads is how many it would take.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from orchestration.assistance.assistance_rules import AssistanceRules
from orchestration.assistance.reading import STATE, Determination, Inputs, Organisation, YearTables
from orchestration.assistance.regions import Crosswalk
from orchestration.errors import InputError
from orchestration.texts import is_unfit

PERCENTILES = ("sy", "org_type", "dist_code", "org_code", "accntblty_pctle", "is_requiring_assistance")
DIRECTORY = ("org_code", "name", "town", "dist_name", "dist_code", "county")
ENROLMENT = ("sy", "org_code", "total_cnt")
FLAGS = {"True": True, "False": False}

Row = tuple[str, Mapping[str, str]]
"""Where a row stands, and its values."""


def published_inputs(
    percentiles: Path, directory: Path, enrolment: Path | None, rules: AssistanceRules, crosswalk: Crosswalk
) -> Inputs:
    """Tables of the year of `rules` from published files. InputError names file, row and field of what cannot be."""
    year = str(rules.year)
    listed = [(where, row) for where, row in _read(percentiles, PERCENTILES) if row["sy"] == year]
    if not listed:
        raise InputError(f"{percentiles}: no row with sy {year}; give a file of that year")
    organisations = _organisations(_read(directory, DIRECTORY), _enrolled(enrolment, year) if enrolment else {})
    determinations = {}
    for where, row in listed:
        code = row["org_code"]
        if code not in organisations:
            raise InputError(f"{where}: org_code '{code}' is not in {directory}; give a directory that has it")
        if code in determinations:
            raise InputError(f"{where}: org_code '{code}' stands there twice for {year}")
        determinations[code] = _determination(where, row, rules)
    known = {organisations[code].district_code for code in determinations} | determinations.keys()
    kept = {code: row for code, row in organisations.items() if code in known}
    strategic = {
        code for code in kept if (r := crosswalk.find("organisation", code)) and r.region == rules.strategic_region
    }
    for code in sorted(strategic - determinations.keys()):  # districts are not in the list of schools
        determinations[code] = Determination(code, *[None] * (len(Determination._fields) - 1))
    return Inputs(YearTables(rules.year, kept, determinations, {}, frozenset(strategic)), prior=None)


def _determination(where: str, row: Mapping[str, str], rules: AssistanceRules) -> Determination:
    text, flag = row["accntblty_pctle"], row["is_requiring_assistance"]
    if text and not (text.removesuffix(".0").isdigit() and 1 <= int(text.removesuffix(".0")) <= 99):
        raise InputError(f"{where}: accntblty_pctle '{text}' is not a percentile from 1 to 99")
    if flag not in FLAGS:
        raise InputError(f"{where}: is_requiring_assistance '{flag}' is not one of {', '.join(FLAGS)}")
    return Determination(
        org_code=row["org_code"],
        percentile=int(text.removesuffix(".0")) if text else None,
        overall_classification=rules.requiring if FLAGS[flag] else None,
        reason=None,
        grounds_met=None,
        low_performing_groups=None,
        low_participation_groups=None,
        designations=None,
        trace_key=None,
    )


def _organisations(rows: Iterable[Row], enrolled: Mapping[str, int]) -> dict[str, Organisation]:
    """Schools of the directory and their districts; a programme at several addresses is one school.

    A district has no town of its own: its region is that of its schools.
    """
    out: dict[str, Organisation] = {}
    students: dict[str, int] = defaultdict(int)
    names: dict[str, str] = {}
    for where, row in rows:
        code, district = row["org_code"], row["dist_code"]
        if len(code) != len(STATE) or len(district) != len(STATE):
            raise InputError(f"{where}: org_code '{code}' or dist_code '{district}' does not have {len(STATE)} digits")
        if code in out:
            continue
        names[district] = row["dist_name"] or district
        count = enrolled.get(code)
        students[district] += count or 0
        out[code] = Organisation(
            code, "school", row["name"], district, row["town"] or None, row["county"] or None, None, count, None
        )
    for district, name in sorted(names.items()):
        out[district] = Organisation(
            district, "district", name, district, None, None, None, students[district] or None, None
        )
    return out


def _enrolled(path: Path, year: str) -> dict[str, int]:
    found = {}
    for where, row in _read(path, ENROLMENT):
        if row["sy"] != year:
            continue
        if not row["total_cnt"].removesuffix(".0").isdigit():
            raise InputError(f"{where}: total_cnt '{row['total_cnt']}' is not a number of students")
        found[row["org_code"]] = int(row["total_cnt"].removesuffix(".0"))
    if not found:
        raise InputError(f"{path}: no row with sy {year}; give a file of that year")
    return found


def _read(path: Path, columns: tuple[str, ...]) -> Iterable[Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise InputError(f"{path}: has no column {missing[0]}; wanted are {', '.join(columns)}")
            rows = [(f"{path}: row {reader.line_num}", row) for row in reader]
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a readable CSV file ({error})") from None
    for where, row in rows:
        if None in row or None in row.values():
            raise InputError(f"{where}: does not have as many values as the header")
        if field := next((name for name in columns if is_unfit(row[name])), None):
            raise InputError(f"{where}: {field} begins like a formula or holds a character that cannot be shown")
    return rows
