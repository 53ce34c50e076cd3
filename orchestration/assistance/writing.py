"""The tables of the room: their columns, and rows from what was decided, in a fixed order.

Belongs here: columns and types, Parquet and CSV. Does not: any decision. Figures are exact decimals or whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from orchestration.assistance.assisting import Assisted
from orchestration.assistance.leads import Caseload, RegionPlan
from orchestration.assistance.plans import CLAIM, FELL, ROSE, SAME, UNKNOWN
from orchestration.exact import half_up

FIGURE, SHARE, RATIO = pa.decimal128(9, 1), pa.decimal128(9, 3), pa.decimal128(12, 2)
TEXT, COUNT, NUMBER, FLAG, DAY = pa.string(), pa.int64(), pa.int32(), pa.bool_(), pa.date32()
WORK = {"districts": NUMBER, "schools": NUMBER, "enrolment": COUNT, "high_needs": COUNT, "load": FIGURE}

TABLES: dict[str, dict[str, pa.DataType]] = {
    "assistance_eligibility": {
        "school_year": NUMBER, "org_code": TEXT, "org_type": TEXT, "org_name": TEXT, "district_code": TEXT,
        "region": TEXT, "region_by": TEXT, "change": TEXT, "grounds": TEXT, "prior_grounds": TEXT, "needs_lead": FLAG,
        "overall_classification": TEXT, "reason": TEXT, "classification_grounds": TEXT, "low_performing_groups": TEXT,
        "low_participation_groups": TEXT, "percentile": NUMBER, "prior_percentile": NUMBER, "designations": TEXT,
        "federal_designation": TEXT, "enrolment": COUNT, "high_needs": COUNT, "high_needs_share": FIGURE, "note": TEXT,
        "status": TEXT, "trace_key": TEXT,
    },
    "assistance_assignments": {
        "school_year": NUMBER, "region": TEXT, "district_code": TEXT, "district_name": TEXT, "former_unit": TEXT,
        "lead": TEXT, "lead_before": TEXT, "kept": FLAG, "schools": NUMBER, "school_codes": TEXT, "enrolment": COUNT,
        "high_needs": COUNT, "load": FIGURE, "load_lacks": TEXT, "lead_districts": NUMBER, "lead_load": FIGURE,
        "lead_leaves_on": DAY, "status": TEXT,
    },
    "assistance_optimality": {
        "school_year": NUMBER, "region": TEXT, "step": NUMBER, "objective": TEXT, "value": FIGURE, "bound": FIGURE,
        "gap": SHARE, "status": TEXT,
    },
    "assistance_leadership": {
        "school_year": NUMBER, "region": TEXT, "co_directors": TEXT, "co_directors_wanted": NUMBER, "leads": NUMBER,
        "leads_each": FIGURE, "room": NUMBER, **WORK, "districts_without_lead": NUMBER, "leads_missing": NUMBER,
        "status": TEXT, "statement": TEXT,
    },
    "assistance_equity": {
        "school_year": NUMBER, "moment": TEXT, "scope": TEXT, "name": TEXT, "region": TEXT, "leads": RATIO, **WORK,
        "load_per_lead": FIGURE, "gini": SHARE, "max_min_ratio": RATIO, "districts_without_lead": NUMBER,
        "load_without_lead": FIGURE,
    },
    "assistance_plan_checks": {
        "school_year": NUMBER, "plan_id": TEXT, "district_code": TEXT, "school_code": TEXT, "staff_id": TEXT,
        "support": TEXT, "unit": TEXT, "planned": FIGURE, "delivered": FIGURE, "plan_status": TEXT, "problems": TEXT,
        "status": TEXT,
    },
    "assistance_plan_review": {
        "school_year": NUMBER, "support": TEXT, "lines": NUMBER, "lines_with_problems": NUMBER, "planned_hours": FIGURE,
        "delivered_hours": FIGURE, "planned_days": FIGURE, "delivered_days": FIGURE, "districts": NUMBER,
        "schools": NUMBER, "percentile_rose": NUMBER, "percentile_fell": NUMBER, "percentile_same": NUMBER,
        "percentile_unknown": NUMBER, "entered": NUMBER, "continuing": NUMBER, "exited": NUMBER, "note": TEXT,
    },
}  # fmt: skip
"""Table to its columns. Lists are joined by `; `."""
COUNTS = ("districts_served", "relationships_kept")
"""Objectives counted in districts; the others are loads."""


def write_tables(folder: Path, done: Assisted, year: int) -> dict[str, int]:
    """Write every table as Parquet and CSV: table to rows."""
    rows = {name: [(year, *row) for row in found] for name, found in table_rows(done).items()}
    for name, found in rows.items():
        schema = pa.schema(TABLES[name].items())
        columns = zip(*found, strict=True) if found else ([] for _ in schema)
        table = pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
        pyarrow.csv.write_csv(table, folder / f"{name}.csv")
    return {name: len(found) for name, found in rows.items()}


def table_rows(done: Assisted) -> dict[str, list[tuple[Any, ...]]]:
    """Table to its rows without the year."""
    return {
        "assistance_eligibility": _eligibility(done),
        "assistance_assignments": [row for plan in done.plans for row in _assignments(plan)],
        "assistance_optimality": [row for plan in done.plans for row in _optimality(plan)],
        "assistance_leadership": _leadership(done),
        "assistance_equity": _equity(done),
        "assistance_plan_checks": _plan_checks(done),
        "assistance_plan_review": _plan_review(done),
    }


def _eligibility(done: Assisted) -> list[tuple[Any, ...]]:
    rows = []
    for one in done.eligible:
        org, found = one.organisation, one.determination
        complete = org.enrolment is not None and org.high_needs is not None
        rows.append(
            (
                org.org_code, org.org_type, org.org_name, org.district_code, one.region, one.place.decided_by,
                one.change, _joined(one.grounds), _joined(one.prior_grounds), one.needs_lead,
                found.overall_classification if found else None, found.reason if found else None,
                found.grounds_met if found else None, found.low_performing_groups if found else None,
                found.low_participation_groups if found else None, found.percentile if found else None,
                one.prior_percentile, found.designations if found else None, one.federal, org.enrolment,
                org.high_needs, one.high_needs_share, one.note, "ok" if complete else "missing_source",
                found.trace_key if found else None,
            )
        )  # fmt: skip
    return rows


def _assignments(plan: RegionPlan) -> list[tuple[Any, ...]]:
    leads = {lead.staff_id: lead for lead in plan.leads}
    before = {code: lead.staff_id for lead in plan.leads for code in lead.serves}
    rows = []
    for d in plan.districts:
        lead = plan.lead_of.get(d.district_code)
        own = plan.of(lead) if lead else ()
        was = before.get(d.district_code)
        rows.append(
            (
                plan.region, d.district_code, d.district_name, d.former_unit, lead, was,
                None if was is None else was == lead, len(d.schools), _joined(d.schools), _known(d, "enrolment"),
                _known(d, "high_needs"), d.load, _joined(d.lacks), len(own), _load(own),
                leads[lead].leaves_on if lead else None, "ok" if lead else "no_lead",
            )
        )  # fmt: skip
    return rows


def _optimality(plan: RegionPlan) -> list[tuple[Any, ...]]:
    return [
        (plan.region, n, s.objective, _value(s.objective, s.value), _value(s.objective, s.bound), s.gap, s.status)
        for n, s in enumerate(plan.stages, 1)
    ]


def _value(objective: str, value: int) -> Decimal:
    return Decimal(value) if objective in COUNTS else Decimal(value).scaleb(-1)


def _leadership(done: Assisted) -> list[tuple[Any, ...]]:
    plans = {plan.region: plan for plan in done.plans}
    rows = []
    for t in done.teams:
        plan = plans.get(t.region)
        problems = [
            *(["co_director_missing"] if t.lacking else []),
            *(["leads_missing"] if t.leads_missing else []),
        ]
        rows.append(
            (
                t.region, _joined(t.co_directors), t.wanted, t.leads, t.leads_each, t.room, t.districts, t.schools,
                t.enrolment, t.high_needs, t.load, len(plan.without) if plan else 0, t.leads_missing,
                _joined(problems) or "ok", plan.statement if plan else None,
            )
        )  # fmt: skip
    return rows


def _equity(done: Assisted) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = [
        (
            share.moment, share.scope, share.name, share.region or None, half_up(share.leads, 2),
            *_work(share.districts), share.load_per_lead, None, None, len(share.without), _load(share.without),
        )
        for share in done.equity.shares
    ]  # fmt: skip
    rows += [
        (
            spread.moment, spread.scope, None, spread.region or None, None, None, None, None, None, None, None,
            spread.gini, spread.ratio, len(spread.without), _load(spread.without),
        )
        for spread in done.equity.spreads
    ]  # fmt: skip
    return rows


def _plan_checks(done: Assisted) -> list[tuple[Any, ...]]:
    return [
        (
            one.line.plan_id, one.line.district_code, one.line.school_code, one.line.staff_id, one.line.support,
            one.line.unit, one.line.planned, one.line.delivered, one.line.status, _joined(one.problems),
            "incomplete" if one.problems else "ok",
        )
        for one in done.lines
    ]  # fmt: skip


def _plan_review(done: Assisted) -> list[tuple[Any, ...]]:
    return [
        (
            r.support, r.lines, r.lines_with_problems, r.planned["hours"], r.delivered["hours"], r.planned["days"],
            r.delivered["days"], r.districts, r.schools, r.movements[ROSE], r.movements[FELL], r.movements[SAME],
            r.movements[UNKNOWN], r.changes["entered"], r.changes["continuing"], r.changes["exited"], CLAIM,
        )
        for r in done.review
    ]  # fmt: skip


def _work(districts: Iterable[Caseload]) -> tuple[int, int, int, int, Decimal]:
    found = tuple(districts)
    schools = sum(len(d.schools) for d in found)
    return len(found), schools, sum(d.enrolment for d in found), sum(d.high_needs for d in found), _load(found)


def _load(districts: Iterable[Caseload]) -> Decimal:
    return sum((d.load for d in districts), Decimal("0.0"))


def _known(district: Caseload, count: str) -> int | None:
    """A count of students, or nothing where the source lacks it."""
    return None if count in district.lacks else int(getattr(district, count))


def _joined(parts: Iterable[str]) -> str | None:
    return "; ".join(parts) or None
