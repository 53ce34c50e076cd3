"""Eligibility and regions by hand: limits, entering and leaving, crosswalk, and what cannot be placed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from orchestration.assistance.assistance_rules import load_assistance_rules
from orchestration.assistance.eligibility import Eligible, eligible
from orchestration.assistance.reading import YearTables
from orchestration.assistance.regions import Crosswalk, former_units, load_crosswalk, regions_of
from orchestration.errors import InputError
from tests.support import assistance as made
from tests.support.determinations import REGISTER, changed, without

NOBODY: frozenset[str] = frozenset()


def state(rows: dict[str, dict[str, Any]], places: dict[str, dict[str, Any]] | None = None) -> YearTables:
    """Organisations with their determinations by code; each school's district is there too."""
    codes = sorted({*rows, *(f"{code[:4]}0000" for code in rows)})
    organisations = [made.organisation(code, **(places or {}).get(code, {})) for code in codes]
    return made.tables(organisations, [made.determination(code, **rows.get(code, {})) for code in codes])


def found(now: YearTables, prior: YearTables | None = None) -> dict[str, Eligible]:
    rows = eligible(now, prior, made.RULES, made.BOTH.prior if prior else None, made.CROSSWALK)
    return {row.org_code: row for row in rows}


def region(
    code: str = "50010001", strategic: frozenset[str] = NOBODY, crosswalk: Crosswalk = made.CROSSWALK, **place: Any
) -> str:
    row = made.organisation(code, **({"county": None} | place))
    return regions_of({code: row}, strategic, crosswalk, made.RULES)[code].region


def test_the_limit_is_the_tenth_percentile() -> None:
    rows = found(state({"50010001": {"percentile": 10}, "50020001": {"percentile": 11}}))
    assert sorted(rows) == ["50010000", "50010001"]
    assert rows["50010001"].grounds == ("lowest_percentile",)
    assert rows["50010000"].grounds == ("school/lowest_percentile",)
    assert rows["50010000"].needs_lead
    assert not rows["50010001"].needs_lead


def test_every_ground_is_kept_and_the_row_carries_its_figures() -> None:
    values = {"percentile": 2, "reason": made.BROAD, "designations": "chronically_underperforming; receivership"}
    row = found(state({"50010001": values}))["50010001"]
    assert row.grounds == ("lowest_percentile", "broad_comprehensive", "strategic")
    assert (row.region, row.change, str(row.high_needs_share)) == ("Strategic Transformation", "no_prior_year", "60.0")
    assert row.determination is not None
    assert row.determination.trace_key == "2025/50010001/classification"


def test_underperforming_alone_is_no_direct_oversight() -> None:
    row = found(state({"50010001": {"reason": made.BROAD, "designations": "underperforming"}}))["50010001"]
    assert (row.grounds, row.region) == (("broad_comprehensive",), "Coastal")


def test_entered_continuing_exited_and_closed() -> None:
    now = state({"50010001": {"percentile": 5}, "50010002": {"percentile": 9}, "50010003": {"percentile": 50}})
    prior = state({"50010001": {"percentile": 50}, "50010002": {"percentile": 9}, "50010003": {"percentile": 1},
                   "50020001": {"percentile": 3}})  # fmt: skip
    rows = found(now, prior)
    assert {code: row.change for code, row in rows.items()} == {
        "50010000": "continuing",
        "50010001": "entered",
        "50010002": "continuing",
        "50010003": "exited",
        "50020000": "exited",
        "50020001": "exited",
    }
    assert rows["50010003"].note is None
    assert rows["50020001"].note == "not in the directory"
    assert rows["50020001"].region == "Coastal", "where it was"
    assert rows["50010001"].prior_percentile == 50


def test_who_needs_a_lead_follows_the_year() -> None:
    """2018: a school in the lowest tenth; from 2023 any school that requires support."""
    rows = state({"50010001": {"reason": made.FOCUSED, "percentile": 40}})
    for year, expected in ((2018, False), (2019, False), (2023, True), (2025, True)):
        districts = {r.org_code: r for r in eligible(rows, None, made.rules(year), None, made.CROSSWALK)}
        assert districts["50010000"].needs_lead is expected, year


def test_regions_by_center_town_and_county() -> None:
    assert region(county="Hampden County") == "West/Central"
    assert region(county="middlesex") == "Coastal"
    assert region(town="WORCESTER") == "West/Central"
    assert region(former_center="Berkshires", county="Essex County") == "West/Central", "a center before a county"
    assert region(town="Pittsfield", county="Middlesex County") == "West/Central", "a town before a county"
    assert region("07250003", county="Middlesex County") == "West/Central", "a district's row covers its schools"
    assert region("01490001", county="Essex County") == "Strategic Transformation"
    assert region("50010001", frozenset({"50010000"}), county="Essex County") == "Strategic Transformation"


def test_a_district_takes_the_region_of_its_schools_and_a_school_that_of_its_district() -> None:
    rows = {
        "50010000": made.organisation("50010000", county=None),
        "50010001": made.organisation("50010001", county="Franklin County"),
        "50010002": made.organisation("50010002", county=None),
    }
    assert {p.region for p in regions_of(rows, NOBODY, made.CROSSWALK, made.RULES).values()} == {"West/Central"}


def test_an_organisation_without_a_region_is_named() -> None:
    with pytest.raises(
        InputError, match=r"school 50010001 Org 50010001 has no region \(town Nowhere, county not given"
    ):
        region(town="Nowhere")


def test_a_district_split_over_regions_is_named() -> None:
    rows = {
        "50010000": made.organisation("50010000", county=None),
        "50010001": made.organisation("50010001", county="Franklin County"),
        "50010002": made.organisation("50010002", county="Essex County"),
    }
    with pytest.raises(InputError, match="district 50010000 Org 50010000 has schools in Coastal and West/Central"):
        regions_of(rows, NOBODY, made.CROSSWALK, made.RULES)


def test_the_crosswalk_holds_in_its_years_only() -> None:
    before, after = (load_crosswalk(made.POLICY, made.rules(year)) for year in (2019, 2025))
    assert before.find("organisation", "00350167") is not None
    assert after.find("organisation", "00350167") is None


@pytest.mark.parametrize(
    ("line", "fragment"),
    [
        ("county,Essex,Coastal,,,,directory-2026,inferred", "county Essex stands there already"),
        ("county,Elsewhere,Northern,,,,directory-2026,inferred", "region 'Northern' is not one of"),
        ("village,Elsewhere,Coastal,,,,directory-2026,inferred", "kind 'village'"),
        ("town,Elsewhere,Coastal,,,,nobody,inferred", "citation_id 'nobody'"),
        ("town,Elsewhere,Coastal,,,,directory-2026,sure", "status 'sure'"),
        ("town,Elsewhere,Coastal,,soon,,directory-2026,inferred", "first_year 'soon' is not a year"),
        ("town,Elsewhere,Coastal", "does not have 8 values"),
    ],
)
def test_a_bad_row_of_the_crosswalk_is_named(tmp_path: Path, line: str, fragment: str) -> None:
    folder = shutil.copytree(made.POLICY, tmp_path / "policy")
    number = len((folder / "assistance_regions.csv").read_text().splitlines()) + 1
    with (folder / "assistance_regions.csv").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(InputError, match=f"assistance_regions.csv: row {number}: .*{fragment}"):
        load_crosswalk(folder, made.RULES)


def test_former_offices() -> None:
    rows = {
        code: made.organisation(code, **values)
        for code, values in {
            "50010000": {"high_needs": 9000},
            "50020000": {"county": "Berkshire County", "high_needs": None},
            "50030000": {"county": None, "former_center": "Central", "high_needs": 10},
        }.items()
    }
    assert former_units(rows, made.CROSSWALK, made.RULES) == {
        "50010000": "ODST",
        "50020000": "Berkshires",
        "50030000": "ODST",
    }, "up to eight districts with the most high needs students"
    real = {code: made.organisation(code, county="Suffolk County") for code in ("00350000", "00010000")}
    assert former_units(real, made.CROSSWALK, made.RULES) == {"00350000": "ODST", "00010000": "Greater Boston"}


@pytest.mark.parametrize(
    ("rule", "parameter", "value", "fragment"),
    [
        ("assistance_targeted", "percentile_at_most", "0", "must be between 1 and 99"),
        ("assistance_lead", "caseload_maximum", "0", "must be at least 1"),
        ("assistance_lead", "objectives", "maximal_load districts_served", "districts_served must come first"),
        ("assistance_lead", "district_needs", "school/poverty", "'school/poverty' is not one of"),
        ("assistance_strategic", "designations", "level_5", "'level_5' is not one of"),
        ("assistance_staffing", "active_on", "soon", "is not a day"),
        (
            "assistance_region_rule",
            "strategic_region",
            "north",
            "'north' of assistance_region_rule.strategic_region is not one of",
        ),
        ("assistance_plan", "agreed_from", "13-01", "is not a day as MM-DD"),
        ("assistance_plan", "checks", "beautiful", "'beautiful' is not one of"),
        ("assistance_plan_status", "done", "finished", "'finished' is not one of"),
    ],
)
def test_a_bad_policy_row_is_named(rule: str, parameter: str, value: str, fragment: str) -> None:
    with pytest.raises(InputError, match=fragment) as error:
        load_assistance_rules(changed((rule, parameter, value)), made.YEAR)
    assert "policy_assistance.csv: row" in str(error.value)


def test_a_missing_policy_row_is_named() -> None:
    with pytest.raises(InputError, match="rule assistance_load, parameter per_school"):
        load_assistance_rules(without("assistance_load", "per_school"), made.YEAR)


def test_every_year_with_determinations_has_rules() -> None:
    years = [y for y in REGISTER.school_years if REGISTER.row(y, "calendar", "determinations").value != "none"]
    assert [made.rules(year).prior_year for year in years] == [None, *years[:-1]]
