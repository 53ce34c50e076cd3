"""Which region serves an organisation, and which office did before 2018.

Belongs here: the crosswalk and its look-up. Does not: who is eligible. Source: `assistance_regions.csv`, each row
with its citation. Receiverships form a region of their own, whatever their county.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestration.assistance.assistance_rules import AssistanceRules
from orchestration.assistance.reading import STATE, Organisation
from orchestration.errors import InputError
from orchestration.policy import STATUSES

CROSSWALK = "assistance_regions.csv"
COLUMNS = ("kind", "name", "region", "former_unit", "first_year", "last_year", "citation_id", "status")
LARGE = "former_large_district"
"""Kind of rows that name districts served by the Office of District and School Turnaround until 2018."""
KINDS = ("organisation", "former_center", "town", "county", LARGE)
DECIDED = "designation"
"""What stands for the crosswalk row where a designation decided."""


@dataclass(frozen=True)
class CrosswalkRow:
    """A name and what it leads to, in the years named; an empty text stands for none."""

    kind: str
    name: str
    region: str
    former_unit: str
    citation_id: str
    status: str


@dataclass(frozen=True)
class Crosswalk:
    """Rows in force in a year, by kind and name (county names without the word County, all in one case)."""

    path: Path
    rows: Mapping[tuple[str, str], CrosswalkRow]

    def find(self, kind: str, name: str | None) -> CrosswalkRow | None:
        """The row of a name, or None."""
        return self.rows.get((kind, _plain(kind, name))) if name else None

    def named(self, kind: str) -> tuple[str, ...]:
        """Names of one kind, in order."""
        return tuple(sorted(row.name for (k, _), row in self.rows.items() if k == kind))


@dataclass(frozen=True)
class Place:
    """Region of an organisation and what decided it: `designation`, or a kind of crosswalk row and its name."""

    region: str
    decided_by: str


def load_crosswalk(folder: Path, rules: AssistanceRules) -> Crosswalk:
    """The crosswalk in force in the year of `rules`. Raises InputError naming file, row and field."""
    path = folder / CROSSWALK
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise InputError(f"{path}: the header must be {','.join(COLUMNS)}")
            read = [(f"{path}: row {reader.line_num}", row) for row in reader]
        with (folder / "citations.csv").open(encoding="utf-8", newline="") as file:
            cited = {row["citation_id"] for row in csv.DictReader(file)}
    except OSError as error:
        raise InputError(f"{error.filename}: {error.strerror}") from None
    rows: dict[tuple[str, str], CrosswalkRow] = {}
    for where, row in read:
        _check(where, row, cited, rules.regions)
        if not _in_force(where, row, rules.year):
            continue
        key = row["kind"], _plain(row["kind"], row["name"])
        if key in rows:
            raise InputError(f"{where}: {row['kind']} {row['name']} stands there already for {rules.year}")
        rows[key] = CrosswalkRow(**{name: row[name] for name in CrosswalkRow.__dataclass_fields__})
    return Crosswalk(path, rows)


def regions_of(
    organisations: Mapping[str, Organisation],
    strategic: frozenset[str],
    crosswalk: Crosswalk,
    rules: AssistanceRules,
) -> dict[str, Place]:
    """Organisation code to its place, for every school and district. `strategic`: codes that a designation moves.

    A district without a town, center or county of its own takes the region of its schools. Raises InputError naming an
    organisation that nothing places, or a district whose schools lie in several regions.
    """
    places: dict[str, Place] = {}
    waiting = []
    for code, row in sorted(organisations.items()):
        if code == STATE:
            continue
        if place := _placed(row, strategic, crosswalk, rules):
            places[code] = place
        else:
            waiting.append(row)
    for row in waiting:
        places[row.org_code] = _by_relation(row, organisations, places, crosswalk, rules)
    return places


def former_units(
    organisations: Mapping[str, Organisation], crosswalk: Crosswalk, rules: AssistanceRules
) -> dict[str, str]:
    """District code to the office that served it until 2018: `ODST` or the name of a center; absent where unknown.

    The districts of the Office of District and School Turnaround are those that the crosswalk names; in a state where
    none of them exists, the policy's number of districts with the most high needs students, which is how the Board
    memorandum describes them (the largest with the highest poverty).
    """
    districts = {code: row for code, row in organisations.items() if row.org_type == "district"}
    found = {}
    for code, row in sorted(districts.items()):
        relatives = [row, *(school for school in organisations.values() if school.district_code == code)]
        center = next((r.former_center for r in relatives if r.former_center), None)
        county = next((c for r in relatives if (c := crosswalk.find("county", r.county))), None)
        if center or county:
            found[code] = center or (county.former_unit if county else "")
    named = {
        code: office for code in crosswalk.named(LARGE) if code in districts and (office := crosswalk.find(LARGE, code))
    }
    if named:
        return found | {code: office.former_unit for code, office in named.items()}
    word = next((row.former_unit for (kind, _), row in crosswalk.rows.items() if kind == LARGE), "")
    largest = sorted(districts.values(), key=lambda row: (-(row.high_needs or 0), row.org_code))
    return found | {row.org_code: word for row in largest[: rules.large_districts] if row.high_needs}


def _placed(row: Organisation, strategic: frozenset[str], crosswalk: Crosswalk, rules: AssistanceRules) -> Place | None:
    """The first of designation and crosswalk kinds, in the policy's order, that places an organisation by itself."""
    covers = rules.district_covers_its_schools
    named = crosswalk.find("organisation", row.org_code) or (
        crosswalk.find("organisation", row.district_code) if covers else None
    )
    if row.org_code in strategic or (covers and row.district_code in strategic):
        is_named = named is not None and named.region == rules.strategic_region
        return Place(rules.strategic_region, f"organisation {named.name}" if named and is_named else DECIDED)
    if named:
        return Place(named.region, f"organisation {named.name}")
    names = {"former_center": row.former_center, "town": row.town, "county": row.county}
    for kind in rules.region_precedence:
        if found := crosswalk.find(kind, names[kind]):
            return Place(found.region, f"{kind} {found.name}")
    return None


def _by_relation(
    row: Organisation,
    organisations: Mapping[str, Organisation],
    places: Mapping[str, Place],
    crosswalk: Crosswalk,
    rules: AssistanceRules,
) -> Place:
    """A district by its schools outside receivership, a school by its district."""
    if row.org_type == "school" and (home := places.get(row.district_code)):
        return Place(home.region, f"district {row.district_code}")
    found = {places[code].region for code in _schools(row, organisations) if code in places}
    regions = sorted(found - {rules.strategic_region})
    if len(regions) == 1:
        return Place(regions[0], "its schools")
    if not regions:  # a school says more than its district
        row = next((organisations[code] for code in sorted(_schools(row, organisations))), row)
    name = f"{row.org_code} {row.org_name}"
    if regions:
        raise InputError(
            f"organisations: district {name} has schools in {' and '.join(regions)}; add an organisation row to "
            f"{crosswalk.path}"
        )
    raise InputError(
        f"organisations: {row.org_type} {name} has no region (town {row.town or 'not given'}, county "
        f"{row.county or 'not given'}, former center {row.former_center or 'not given'}); add a row to {crosswalk.path}"
    )


def _schools(district: Organisation, organisations: Mapping[str, Organisation]) -> set[str]:
    """Codes of a district's schools; none of a school."""
    if district.org_type != "district":
        return set()
    own = district.org_code
    return {code for code, row in organisations.items() if row.district_code == own and code != own}


def _plain(kind: str, name: str | None) -> str:
    text = " ".join((name or "").split()).casefold()
    return text.removesuffix(" county") if kind == "county" else text


def _in_force(where: str, row: Mapping[str, str], year: int) -> bool:
    for field in ("first_year", "last_year"):
        if row[field] and not row[field].isdigit():
            raise InputError(f"{where}: {field} '{row[field]}' is not a year")
    return int(row["first_year"] or year) <= year <= int(row["last_year"] or year)


def _check(where: str, row: Mapping[str, str], cited: set[str], regions: tuple[str, ...]) -> None:
    if None in row or None in row.values():
        raise InputError(f"{where}: does not have {len(COLUMNS)} values")
    if row["kind"] not in KINDS or not row["name"].strip():
        raise InputError(f"{where}: kind '{row['kind']}' with name '{row['name']}': kind is one of {', '.join(KINDS)}")
    if (row["region"] or row["kind"] != LARGE) and row["region"] not in regions:
        raise InputError(f"{where}: region '{row['region']}' is not one of {', '.join(regions)}")
    if row["citation_id"] not in cited:
        raise InputError(f"{where}: citation_id '{row['citation_id']}' is not in citations.csv")
    if row["status"] not in STATUSES:
        raise InputError(f"{where}: status '{row['status']}' is not one of {', '.join(STATUSES)}")
