"""A workbook a region for its Co-Directors: a summary to use as it is, then schools, districts, plans.

Belongs here: what stands on which sheet, and a file that has the same bytes for the same content. Does not: any figure
of its own; every number is one of the tables'.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from orchestration.assistance.assisting import Assisted
from orchestration.assistance.eligibility import EXITED, Eligible
from orchestration.assistance.equity import AFTER, ALL_LEADS, BEFORE
from orchestration.assistance.leadership import Team
from orchestration.assistance.leads import RegionPlan
from orchestration.workbooks import FIXED, put_text, same_bytes

LEAD_HEADER = ("Assistance Lead", "Districts", "Schools", "Students", "High needs", "Load", "Last day", "Which")
SCHOOL_HEADER = (
    "Code", "School", "District", "Change", "Grounds", "Percentile", "A year before", "Reason", "Federal designation",
    "Students", "High needs", "High needs, %", "Low groups", "Low participation", "Trace key",
)  # fmt: skip
DISTRICT_HEADER = (
    "Code", "District", "Lead", "Lead so far", "Served before 2018 by", "Schools", "Students", "High needs", "Load",
    "Plan",
)  # fmt: skip
PLAN_HEADER = ("Plan", "District", "School", "Lead", "Support", "Unit", "Planned", "Delivered", "Status", "To settle")


def write_workbooks(folder: Path, done: Assisted, year: int) -> tuple[Path, ...]:
    """A workbook for every region with a claim: `assistance_<region>.xlsx`."""
    plans = {plan.region: plan for plan in done.plans}
    files = []
    for team in done.teams:
        plan = plans.get(team.region)
        if plan and any(one.region == team.region for one in done.eligible):
            files.append(folder / f"assistance_{_file_word(team.region)}.xlsx")
            files[-1].write_bytes(_workbook(done, plan, team, year))
    return tuple(files)


def _workbook(done: Assisted, plan: RegionPlan, team: Team, year: int) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    own = [one for one in done.eligible if one.region == plan.region]
    _summary(book.active, done, plan, team, own, year)
    _sheet(book, "Schools", SCHOOL_HEADER, _schools(own))
    _sheet(book, "Districts", DISTRICT_HEADER, _districts(done, plan))
    codes = {d.district_code for d in plan.districts}
    _sheet(book, "Plans", PLAN_HEADER, _plans(done, codes))
    book.properties.creator = "accountability"
    book.properties.created = FIXED
    content = io.BytesIO()
    book.save(content)
    return same_bytes(content.getvalue())


def _summary(sheet: Any, done: Assisted, plan: RegionPlan, team: Team, own: Sequence[Eligible], year: int) -> None:
    from openpyxl.chart import BarChart, Reference
    from openpyxl.styles import Font

    sheet.title = "Summary"
    _put(sheet, 1, (f"{plan.region}: assistance after the {year} determinations",))
    sheet["A1"].font = Font(bold=True, size=14)
    _put(sheet, 2, (plan.statement,))
    row = 4
    for name, value in _key_figures(done, plan, team, own):
        _put(sheet, row, (name, value))
        row += 1
    row += 1
    first = row
    _head(sheet, row, LEAD_HEADER)
    for line in _leads(plan):
        row += 1
        _put(sheet, row, line)
    last = row
    if plan.leads and plan.lead_of:
        chart = BarChart()
        chart.type, chart.title, chart.legend = "bar", "Load of each Lead", None
        chart.add_data(Reference(sheet, min_col=6, min_row=first + 1, max_row=last))
        chart.set_categories(Reference(sheet, min_col=1, min_row=first + 1, max_row=last))
        chart.height, chart.width = max(5, 0.7 * (last - first) + 2), 16
        sheet.add_chart(chart, "J4")
    row += 2
    for title, found in (
        ("Left without a Lead", [f"{d.district_code} {d.district_name} (load {d.load})" for d in plan.without]),
        ("Entered this year", _names(own, "entered")),
        ("No claim any more", _names(own, EXITED)),
        ("Districts without a plan", [code for code in done.without_plan if code in _codes(plan)]),
    ):
        _head(sheet, row, (f"{title}: {len(found)}",))
        for text in found:
            row += 1
            _put(sheet, row, (text,))
        row += 2
    for column, width in zip("ABCDEFGH", (34, 14, 10, 10, 12, 8, 12, 40), strict=True):
        sheet.column_dimensions[column].width = width


def _key_figures(done: Assisted, plan: RegionPlan, team: Team, own: Sequence[Eligible]) -> list[tuple[str, Any]]:
    spreads = {s.moment: s for s in done.equity.spreads if (s.scope, s.region) == (ALL_LEADS, plan.region)}
    schools = [one for one in own if one.grounds and one.organisation.org_type == "school"]
    unproven = [f"{stage.objective} within {stage.gap}" for stage in plan.stages if not stage.is_proven]
    return [
        ("Co-Directors", ", ".join(team.co_directors) or "none named"),
        ("Schools with a claim", len(schools)),
        ("of these in the lowest percentiles", sum("lowest_percentile" in one.grounds for one in schools)),
        ("Districts due a Lead", team.districts),
        ("Students in these schools", team.enrolment),
        ("High needs students", team.high_needs),
        ("Leads", team.leads),
        ("Districts they have room for", team.room),
        ("Leads missing", team.leads_missing),
        ("Gini of loads, before", spreads[BEFORE].gini if BEFORE in spreads else None),
        ("Gini of loads, as assigned", spreads[AFTER].gini if AFTER in spreads else None),
        ("Assignment", "best possible" if not unproven else f"best found; {', '.join(unproven)} of the best"),
    ]


def _leads(plan: RegionPlan) -> list[tuple[Any, ...]]:
    rows = []
    for lead in plan.leads:
        own = plan.of(lead.staff_id)
        rows.append(
            (
                lead.staff_id, len(own), sum(len(d.schools) for d in own), sum(d.enrolment for d in own),
                sum(d.high_needs for d in own), sum((d.load for d in own), Decimal("0.0")), lead.leaves_on,
                ", ".join(d.district_name for d in own),
            )
        )  # fmt: skip
    return sorted(rows, key=lambda row: (-row[5], row[0]))


def _schools(own: Iterable[Eligible]) -> list[tuple[Any, ...]]:
    rows = []
    for one in own:
        org, found = one.organisation, one.determination
        if org.org_type == "school":
            rows.append(
                (
                    org.org_code, org.org_name, org.district_code, one.change, "; ".join(one.grounds),
                    found.percentile if found else None, one.prior_percentile, found.reason if found else None,
                    one.federal, org.enrolment, org.high_needs, one.high_needs_share,
                    found.low_performing_groups if found else None, found.low_participation_groups if found else None,
                    found.trace_key if found else None,
                )
            )  # fmt: skip
    return rows


def _districts(done: Assisted, plan: RegionPlan) -> list[tuple[Any, ...]]:
    before = {code: lead.staff_id for lead in plan.leads for code in lead.serves}
    return [
        (
            d.district_code, d.district_name, plan.lead_of.get(d.district_code), before.get(d.district_code),
            d.former_unit, len(d.schools), d.enrolment, d.high_needs, d.load,
            "none" if d.district_code in done.without_plan else "yes",
        )
        for d in plan.districts
    ]  # fmt: skip


def _plans(done: Assisted, districts: set[str]) -> list[tuple[Any, ...]]:
    return [
        (
            one.line.plan_id, one.line.district_code, one.line.school_code, one.line.staff_id, one.line.support,
            one.line.unit, one.line.planned, one.line.delivered, one.line.status, "; ".join(one.problems),
        )
        for one in done.lines
        if one.line.district_code in districts
    ]  # fmt: skip


def _names(own: Iterable[Eligible], change: str) -> list[str]:
    return [
        f"{one.org_code} {one.organisation.org_name}"
        for one in own
        if one.change == change and one.organisation.org_type == "school"
    ]


def _codes(plan: RegionPlan) -> set[str]:
    return {d.district_code for d in plan.districts}


def _sheet(book: Any, title: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    sheet = book.create_sheet(title)
    _head(sheet, 1, header)
    widths = [len(name) for name in header]
    for number, row in enumerate(rows, 2):
        _put(sheet, number, row)
        widths = [max(width, len(str(value or ""))) for width, value in zip(widths, row, strict=True)]
    for column, width in enumerate(widths, 1):
        sheet.column_dimensions[sheet.cell(1, column).column_letter].width = min(width + 2, 50)
    sheet.freeze_panes = "C2"
    sheet.auto_filter.ref = sheet.dimensions


def _head(sheet: Any, row: int, names: Sequence[str]) -> None:
    from openpyxl.styles import Font

    _put(sheet, row, names)
    for column in range(1, len(names) + 1):
        sheet.cell(row, column).font = Font(bold=True)


def _put(sheet: Any, row: int, values: Sequence[Any]) -> None:
    """Values into a row; text stays text, also where it begins like a formula."""
    for column, value in enumerate(values, 1):
        if isinstance(value, str):
            put_text(sheet.cell(row, column), value)
        else:
            sheet.cell(row, column, value)


def _file_word(region: str) -> str:
    return "_".join("".join(c if c.isalnum() else " " for c in region).lower().split())
