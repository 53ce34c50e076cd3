"""A second, independent computation of the hub's indicator results, written from `rules/hub_source.md` alone.

It shares no code with the models it checks and reads the hub's CSV files themselves, not what intake made of them. Read
top-down: `hub_results` names the rules; each rule says which rows are taken; `judge` gives status and note.
"""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from tests.oracle.policy_reader import FOLDER, PROJECT_POLICY, Policy

Row = dict[str, str]
Place = tuple[str, str, str, str]  # org_code, gradespan, student_group, indicator

SEEDS = FOLDER.parent
EVERYONE = "all_students"
MCAS, ATTENDANCE, COHORTS, DROPOUT = "i9w6-niyt", "ak6h-9k7x", "n2xa-p822", "cmm7-ttbg"
ADVANCED, ACCESS, ENROLMENT = "ujwr-ux9i", "puw9-zucz", "t8td-gens"
BEHIND = {
    "four_year_graduation": "hub_graduation_rates",
    "extended_engagement": "hub_graduation_rates_five_year",
    "annual_dropout": "hub_dropout",
}
"""Indicators that look back, with the parameter of rule data_lag."""


@dataclass(frozen=True)
class Published:
    """A figure of the hub before it is judged."""

    figure: Decimal | None
    n: int | None
    numerator: int | None = None
    denominator: int | None = None
    situation: str = "published"


@dataclass(frozen=True)
class Result:
    measure: str
    value: Decimal | None
    numerator: int | None
    denominator: int | None
    n: int | None
    data_year: int
    status: str
    note: str


Figures = Iterator[tuple[Place, Published]]


def hub_results(year: int, folder: Path, policy: Policy = PROJECT_POLICY) -> dict[Place, Result]:
    """Every row of `year` from the hub's files `<data set>_*.csv` anywhere below `folder`."""
    hub = Hub(year, folder, policy)
    published: dict[Place, Published] = {}
    rules = (achievement, growth, absenteeism, graduation, engagement, dropout, advanced_coursework, el_progress)
    for rule in rules:
        for place, figure in rule(hub):
            assert place not in published, place
            says_nothing = figure.figure is None and figure.n is None
            if says_nothing and place[:2] + place[3:] not in hub.expected:
                continue
            published[place] = figure
    results = {place: judge(hub, place, figure) for place, figure in published.items()}
    shown_for_anyone = {(span, indicator) for _, span, _, indicator in published}
    for org, span, indicator in {*hub.expected, *(place[:2] + place[3:] for place in published)}:
        if (org, span, EVERYONE, indicator) not in published:
            shown = (span, indicator) in shown_for_anyone
            results[org, span, EVERYONE, indicator] = absent(hub, span, indicator, shown)
    return results


# --- What the hub has, and what the year asks for --------------------------------------------------------------------


class Hub:
    """The hub's rows as a determination year sees them."""

    def __init__(self, year: int, folder: Path, policy: Policy):
        self.year, self.folder, self.policy = year, folder, policy
        self.groups = seed("hub_student_groups")
        self.notes = {(r["indicator"], r["gradespan"], r["situation"]): r["note"] for r in seed("hub_notes")}

    def data_year(self, indicator: str) -> int:
        lag = self.policy.get(self.year, "data_lag", BEHIND[indicator]) if indicator in BEHIND else "0"
        return self.year - int(lag)

    def rows(self, dataset: str, indicator: str = "") -> Iterator[Row]:
        wanted = str(self.data_year(indicator))
        for path in sorted(self.folder.rglob(f"{dataset}_*.csv")):
            with path.open(encoding="utf-8", newline="") as file:
                yield from (row for row in csv.DictReader(file) if row["sy"] == wanted)

    def grouped(self, dataset: str, indicator: str = "") -> Iterator[tuple[str, str, Row]]:
        """Organisation, student group and row, of the groups that are ours."""
        for row in self.rows(dataset, indicator):
            for group in self.groups:
                if row["stu_grp"] == group["stu_grp"] and in_force(group, int(row["sy"])):
                    yield row["org_code"], group["student_group"], row

    def measure(self, indicator: str, span: str) -> str:
        subject, _, kind = indicator.partition("_")
        if kind == "achievement":
            return self.policy.get(self.year, "achievement_measure", f"{subject}_{span}")
        return "mean_sgp" if kind == "growth" else "percent"

    @cached_property
    def grades(self) -> dict[tuple[str, str], list[int]]:
        """(gradespan, indicator) -> grades that count. A year without measures has no test indicators."""
        found = {}
        for rule, ending in (("tested_grades", "achievement"), ("growth_grades", "growth"), ("indicator_grades", "")):
            for parameter, value in self.policy.table(self.year, rule).items():
                span = "non_high" if parameter.endswith("_non_high") else "high"
                name = parameter.removesuffix(f"_{span}")
                if ending and self.policy.find(self.year, "achievement_measure", parameter) is None:
                    continue
                found[span, f"{name}_{ending}" if ending else name] = [int(grade) for grade in value.split()]
        return found

    @cached_property
    def expected(self) -> dict[tuple[str, str, str], int]:
        """(organisation, gradespan, indicator) -> students enrolled in the grades that count, where there are any."""
        counts: dict[tuple[str, str, str], int] = {}
        for row in self.rows(ENROLMENT):
            for (span, indicator), grades in self.grades.items():
                enrolled = sum(whole(row.get(f"g{grade}_cnt")) or 0 for grade in grades)
                if enrolled > 0:
                    counts[row["org_code"], span, indicator] = enrolled
        return counts

    @cached_property
    def shares(self) -> dict[tuple[str, str], Fraction]:
        """(organisation, student group) -> its share of the enrolment."""
        shares = {}
        for row in self.rows(ENROLMENT):
            shares[row["org_code"], EVERYONE] = Fraction(1)
            for group in self.groups:
                share = row.get(group["share_column"]) if group["share_column"] else None
                if share and in_force(group, self.year):
                    shares[row["org_code"], group["student_group"]] = Fraction(share)
        return shares

    def enrolled(self, org: str, span: str, indicator: str, group: str) -> int | None:
        """Enrolment as n."""
        students, share = self.expected.get((org, span, indicator)), self.shares.get((org, group))
        return None if students is None or share is None else half_up(students * share)

    def spans(self, org: str, indicator: str) -> list[str]:
        return [span for span in ("non_high", "high") if (org, span, indicator) in self.expected]


def in_force(group: Row, year: int) -> bool:
    return int(group["first_year"] or year) <= year <= int(group["last_year"] or year)


def seed(name: str) -> list[Row]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- Numbers ---------------------------------------------------------------------------------------------------------


def half_up(number: Fraction) -> int:
    return math.floor(number + Fraction(1, 2))


def one_decimal(number: Fraction) -> Decimal:
    return Decimal(half_up(number * 10)) / 10


def percent(*fractions: str | None) -> Decimal | None:
    """The sum of published fractions, at most the whole, in percent; none where one is empty."""
    known = [Fraction(fraction) for fraction in fractions if fraction]
    if len(known) < len(fractions):
        return None
    return one_decimal(100 * min(sum(known, Fraction(0)), Fraction(1)))


def whole(text: str | None) -> int | None:
    return int(Fraction(text)) if text else None


# --- Rules -----------------------------------------------------------------------------------------------------------


def averages(hub: Hub, kind: str, average: str, students: str, situation: str = "published") -> Figures:
    """Published averages by subject and gradespan; several rows are weighted with their students."""
    taken = {(r["subject_code"], r["test_grade"]): (r["subject"], r["gradespan"]) for r in seed("hub_mcas_rows")}
    pools: dict[Place, list[tuple[str, int | None]]] = defaultdict(list)
    for org, group, row in hub.grouped(MCAS):
        if found := taken.get((row["subject_code"], row["test_grade"])):
            subject, span = found
            pools[org, span, group, f"{subject}_{kind}"].append((row[average], whole(row[students])))
    for place, rows in pools.items():
        if (place[1], place[3]) not in hub.grades or hub.measure(place[3], place[1]) == "cpi":
            continue
        known = [(mean, count) for mean, count in rows if count is not None]
        counted = [(Fraction(mean), count) for mean, count in known if mean]
        n = sum(count for _, count in counted or known)
        figure = one_decimal(sum((mean * count for mean, count in counted), Fraction(0)) / n) if counted and n else None
        yield place, Published(figure, n if known else None, denominator=n, situation=situation)


def achievement(hub: Hub) -> Figures:
    yield from averages(hub, "achievement", "avg_scaled_score", "stu_cnt")


def growth(hub: Hub) -> Figures:
    is_mean = hub.policy.find(hub.year, "hub_growth", "statistic") == "mean"
    yield from averages(hub, "growth", "avg_sgp", "avg_sgp_incl", "published" if is_mean else "median")


def absenteeism(hub: Hub) -> Figures:
    name = "chronic_absenteeism"
    for org, group, row in hub.grouped(ATTENDANCE):
        if row["attend_period"] != hub.policy.get(hub.year, "hub_rows", name):
            continue
        spans = hub.spans(org, name)
        for span in spans:
            situation = ("shared" if len(spans) == 2 else "published") + ("" if group == EVERYONE else "_group")
            n = hub.enrolled(org, span, name, group)
            yield (org, span, group, name), Published(percent(row["pct_chron_abs_10"]), n, situation=situation)


def cohorts(hub: Hub, name: str, *columns: str) -> Figures:
    for org, group, row in hub.grouped(COHORTS, name):
        if row["grad_rate_type"] == hub.policy.get(hub.year, "hub_rows", name):
            students = whole(row["cohort_cnt"])
            figure = percent(*(row[column] for column in columns))
            yield (org, "high", group, name), Published(figure, students, denominator=students)


def graduation(hub: Hub) -> Figures:
    yield from cohorts(hub, "four_year_graduation", "grad_pct")


def engagement(hub: Hub) -> Figures:
    yield from cohorts(hub, "extended_engagement", "grad_pct", "in_sch_pct")


def dropout(hub: Hub) -> Figures:
    for org, group, row in hub.grouped(DROPOUT, "annual_dropout"):
        students = whole(row["enroll_cnt_all"])
        left = whole(row["drpout_cnt_all"])
        yield (
            (org, "high", group, "annual_dropout"),
            Published(percent(row["drpout_pct_all"]), students, left, students),
        )


def advanced_coursework(hub: Hub) -> Figures:
    name = "advanced_coursework"
    for org, group, row in hub.grouped(ADVANCED):
        students, completed = whole(row.get("stu_cnt")), whole(row.get("adv_comp_cnt"))
        n, situation = students, "published"
        if students is None:
            n, situation = hub.enrolled(org, "high", name, group), "enrolment"
        figure = percent(row["adv_comp_pct"])
        yield (org, "high", group, name), Published(figure, n, completed, students, situation)


def el_progress(hub: Hub) -> Figures:
    for row in hub.rows(ACCESS):
        spans = hub.spans(row["org_code"], "el_progress")
        if row["grade"] != hub.policy.get(hub.year, "hub_rows", "el_progress"):
            continue
        for span in spans:
            situation = "shared" if len(spans) == 2 else "published"
            figure = Published(percent(row["re1_pct"]), whole(row["enrolled_cnt"]), situation=situation)
            yield (row["org_code"], span, EVERYONE, "el_progress"), figure


# --- Status and note -------------------------------------------------------------------------------------------------


def judge(hub: Hub, place: Place, found: Published) -> Result:
    _, span, _, indicator = place
    measure, situation = hub.measure(indicator, span), found.situation
    minimum = int(hub.policy.get(hub.year, "minimum_n", "growth" if measure == "mean_sgp" else "students"))
    if found.n is not None and found.n < minimum:
        status = "n_too_small"
    elif found.figure is None or found.n is None:
        status, situation = "missing_source", "no_value"
    else:
        status = "not_applicable" if situation == "median" else "ok"
    return Result(
        measure=measure,
        value=found.figure if status in ("ok", "not_applicable") else None,
        numerator=found.numerator,
        denominator=found.denominator or None,
        n=found.n,
        data_year=hub.data_year(indicator),
        status=status,
        note=hub.notes[indicator, span, situation],
    )


def absent(hub: Hub, span: str, indicator: str, is_shown_for_anyone: bool) -> Result:
    measure = hub.measure(indicator, span)
    situation = "cpi_year" if measure == "cpi" else "no_row" if is_shown_for_anyone else "no_data"
    note = hub.notes[indicator, span, situation]
    return Result(measure, None, None, None, None, hub.data_year(indicator), "missing_source", note)
