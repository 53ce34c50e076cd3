"""What the tests of assistance share: rules of a year, made-up organisations, determinations and staff."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from orchestration.assistance.assistance_rules import AssistanceRules, load_assistance_rules
from orchestration.assistance.assisting import YearRules, year_rules
from orchestration.assistance.reading import Determination, Organisation, StaffRow, YearTables
from orchestration.assistance.regions import Crosswalk, load_crosswalk
from orchestration.settings import PROJECT
from tests.support.determinations import REGISTER

POLICY = PROJECT / "dbt_project" / "seeds" / "policy"
YEAR = 2025
RULES = load_assistance_rules(REGISTER, YEAR)
BOTH: YearRules = year_rules(REGISTER, YEAR)
CROSSWALK: Crosswalk = load_crosswalk(POLICY, RULES)
FOCUSED = next(word for word, ground in RULES.reasons.items() if ground == "focused_targeted")
BROAD = next(word for word, ground in RULES.reasons.items() if ground == "broad_comprehensive")


def organisation(code: str, **values: Any) -> Organisation:
    """A school, or a district where the code ends in zeros, in a county of the Coastal region."""
    is_district = code.endswith("0000")
    given: dict[str, Any] = {
        "org_code": code,
        "org_type": "district" if is_district else "school",
        "org_name": f"Org {code}",
        "district_code": f"{code[:4]}0000",
        "town": None,
        "county": "Essex County",
        "former_center": None,
        "enrolment": 1000 if is_district else 500,
        "high_needs": 600 if is_district else 300,
    }
    return Organisation(**(given | values))


def determination(code: str, **values: Any) -> Determination:
    """A school or district without any ground unless given."""
    given: dict[str, Any] = dict.fromkeys(Determination._fields) | {
        "org_code": code,
        "trace_key": f"{YEAR}/{code}/classification",
    }
    return Determination(**(given | values))


def tables(
    organisations: Iterable[Organisation], determinations: Iterable[Determination], year: int = YEAR
) -> YearTables:
    return YearTables(
        year, {row.org_code: row for row in organisations}, {row.org_code: row for row in determinations}, {}
    )


def lead(staff_id: str, *districts: str, region: str = "Coastal", capacity: int = 3, **values: Any) -> list[StaffRow]:
    """A Lead's rows in the staff ledger, one a district, or one with the state's code."""
    given: dict[str, Any] = {"role": "assistance_lead", "active_from": date(2020, 7, 1), "active_until": None} | values
    return [
        StaffRow(staff_id=staff_id, region=region, capacity=capacity, district_code=district, **given)
        for district in districts or ("00000000",)
    ]


def rules(year: int) -> AssistanceRules:
    return load_assistance_rules(REGISTER, year)
