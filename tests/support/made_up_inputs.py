"""Made-up inputs of the determination room: a small state with schools, districts, figures, ledgers and targets.

Belongs here: figures that could be, and the awkward ones among them, from a seed. Does not: any rule of determinations;
what the figures lead to is for the code under test and its oracle.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from random import Random
from typing import NamedTuple, TypeAlias

from orchestration.determinations.figures import Key, Result
from orchestration.determinations.ledgers import Designation, Recognition
from orchestration.determinations.participation import ParticipationCount
from orchestration.determinations.reading import Inputs, Organisation
from tests.oracle.policy_reader import PROJECT_POLICY as POLICY

Published: TypeAlias = tuple[dict[str, object], ...]
STATE = "00000000"
SPANS = ("non_high", "high")
TENTH = Decimal("0.1")
GROUPS = tuple(POLICY.table(2025, "group_label"))
SOME_GROUPS = tuple(group for group in GROUPS if group not in ("all_students", "lowest_performing", "high_needs"))
SUBJECTS = ("ela", "math", "science")
DELIVERED = {
    2018: (2017, 2018),
    2019: (2017, 2018, 2019),
    2022: (2019, 2021, 2022),
    2023: (2019, 2021, 2022, 2023),
    2024: (2019, 2022, 2023, 2024),
    2025: (2019, 2023, 2024, 2025),
}
"""Year to the years with figures: its own, those before it, those of its percentiles, the reference of the paths."""
USUAL = {"scaled_score": (485, 515), "cpi": (60, 99), "mean_sgp": (24, 70), "percent": (20, 90)}
"""Measure to the whole figures that schools stand between."""
LOW = {"annual_dropout": (1, 9), "chronic_absenteeism": (4, 40)}
CHANGES = (-45, -31, -30, -29, -26, -25, -24, -13, -6, -5, -4, -1, 0, 0, 1, 3, 4, 5, 6, 7, 12, 13, 14, 20, 30, 31, 40)
"""Tenths from one year to the next: at, below and above the tolerances and bands of all years."""
AROUND_TARGET = (-31, -30, -29, -14, -13, -12, -11, -10, -9, -6, -5, -4, 0, 0, 4, 5, 6, 9, 10, 11, 12, 13, 14, 30, 31)
"""Tenths from a published target to this year's figure."""
KINDS = ("elementary",) * 7 + ("middle",) * 3 + ("high",) * 5 + ("k12",) * 2
SERVED = {"elementary": ("KF", "05"), "middle": ("06", "08"), "high": ("09", "12"), "k12": ("PK", "12")}
ALONE_EVERY = 8
"""Every so many schools one is alone in its district."""


class _School(NamedTuple):
    code: str
    kind: str
    spans: tuple[str, ...]
    groups: tuple[str, ...]
    quality: Decimal


def inputs(year: int, seed: int, schools: int = 80, *, any_measure: bool = False) -> Inputs:
    """Inputs of `year`, the same for the same seed: a state, districts of one and of several schools, every table.

    A figure of the year before may be on another measure than the year's. Only with `any_measure` also where a target
    would be made from it; otherwise it has no value, or stands beside a published target, which then has no increment.
    """
    random = Random(f"{year} {seed} {schools}")
    organisations = _organisations(random, schools)
    places = [_place(random, row) for row in organisations.values()]
    results = _results(random, year, places)
    published = tuple(_published(random, year, results))
    if not any_measure:
        results = _one_measure(year, results, published)
    moved = _at_published_targets(random, year, results, published)
    return Inputs(
        year=year,
        results=tuple(random.sample(moved, len(moved))),
        participation=tuple(_participation(random, places)),
        organisations=organisations,
        designations=tuple(_designations(random, year, places)),
        recognitions=tuple(_recognitions(random, year, places)),
        published_targets=published,
        prior_annuals=_prior_annuals(random, year, places),
    )


def _organisations(random: Random, schools: int) -> dict[str, Organisation]:
    """The state, then each district before its schools; enrolments add up."""
    found: list[Organisation] = []
    district, left = 0, 0
    for number in range(schools):
        if left == 0:
            district += 1
            left = 1 if district % ALONE_EVERY == 0 or number % ALONE_EVERY == 0 else random.randint(3, 6)
        left -= 1
        code = f"{district:04d}{5 * (number + 1):04d}"
        kind = random.choice(KINDS)
        title = random.choice(("Title I School", "Non-Title I School", None))
        lowest, highest = SERVED[kind]
        young = 0 if kind == "high" else random.randint(30, 900)
        old = random.randint(30, 900) if kind in ("high", "k12") else 0
        found.append(
            Organisation(
                code,
                "school",
                f"School {code}",
                f"{district:04d}0000",
                title,
                lowest,
                highest,
                young + old,
                young,
                old,
                0,
            )
        )
    above = [
        _sum(code, "district", [row for row in found if row.district_code == code], None) for code in _codes(found)
    ]
    state = _sum(STATE, "state", found, None)
    return {row.org_code: row for row in (state, *above, *found)}


def _codes(schools: list[Organisation]) -> list[str]:
    return sorted({row.district_code for row in schools})


def _sum(code: str, org_type: str, rows: list[Organisation], title: str | None) -> Organisation:
    young = sum(row.enrolment_non_high for row in rows)
    old = sum(row.enrolment_high for row in rows)
    name = f"{org_type.title()} {code}"
    return Organisation(code, org_type, name, code, title, None, None, young + old, young, old, len(rows))


def _place(random: Random, row: Organisation) -> _School:
    """What has figures there: gradespans with students, and some of the groups (no lowest group at some schools)."""
    spans = tuple(span for span, n in zip(SPANS, (row.enrolment_non_high, row.enrolment_high), strict=True) if n)
    groups = ["all_students", "high_needs", *random.sample(SOME_GROUPS, 3)]
    if row.org_type == "state":
        groups = list(GROUPS)
    elif random.random() < 0.8:
        groups.append("lowest_performing")
    return _School(row.org_code, row.org_type, spans, tuple(groups), Decimal(random.randint(0, 100)) / 100)


@cache
def _indicators(year: int, org_type: str, span: str, group: str) -> dict[str, tuple[str, str]]:
    """Indicator to the measure and status of its rows, as the indicator tables have them for a group."""
    found = {}
    column = f"{span}_{'lowest' if group == 'lowest_performing' else 'all'}_"
    named = [v.split() for k, v in POLICY.table(year, "column_indicators").items() if k.startswith(column)]
    for indicator in (indicator for members in named for indicator in members):
        status = "ok"
        if group == "lowest_performing":
            if POLICY.find(year, "lowest_performing", f"{org_type}_{span}") != "reported":
                status = "not_applicable"
            if (
                indicator.startswith("science")
                and POLICY.get(year, "lowest_performing_science", f"{org_type}_{span}") != "yes"
            ):
                status = "not_applicable"
        found[indicator] = (_measure(year, span, indicator), status)
    return found


def _measure(year: int, span: str, indicator: str) -> str:
    subject, _, kind = indicator.partition("_")
    if kind == "achievement":
        return POLICY.get(year, "achievement_measure", f"{subject}_{span}")
    return "mean_sgp" if kind == "growth" else "percent"


def _results(random: Random, year: int, places: list[_School]) -> list[Result]:
    """Figures of all years: a walk from year to year, with gaps, small groups and changes of measure."""
    rows: list[Result] = []
    for place in places:
        for span in place.spans:
            for group in place.groups:
                students = random.randint(25, 400) if random.random() < 0.92 else random.randint(1, 19)
                for indicator in _indicators(year, place.kind, span, group):
                    if random.random() < 0.04:
                        continue  # an organisation without this figure in any year
                    rows += _walk(random, year, place, span, group, indicator, students)
    return rows


def _walk(
    random: Random, year: int, place: _School, span: str, group: str, indicator: str, usual: int
) -> Iterator[Result]:
    value: Decimal | None = None
    before = ""
    for data_year in DELIVERED[year]:
        measure, status = _indicators(data_year, place.kind, span, group)[indicator]
        if data_year != year and random.random() < 0.06:
            other = {"scaled_score": "cpi", "cpi": "scaled_score"}.get(measure)
            measure = other or measure
        if value is None or measure != before:
            value = _start(random, place, indicator, measure)
        else:
            value = _on_scale(measure, value + random.choice(CHANGES) * TENTH)
        before = measure
        if data_year != year and random.random() < 0.06:
            continue  # no figure of this year
        n = random.choice((19, 20, 21)) if random.random() < 0.15 and usual >= 20 else usual
        shown: Decimal | None = value
        if random.random() < 0.015:
            shown, n, status = None, 0, "missing_source"
        elif n < 20 and random.random() < 0.7:
            shown, status = None, "n_too_small"
        yield Result(data_year, place.code, place.kind, span, group, indicator, measure, shown, n, status)


def _start(random: Random, place: _School, indicator: str, measure: str) -> Decimal:
    """A first figure: by the school's quality, or a round one that many share."""
    low, high = LOW.get(indicator, USUAL[measure])
    quality = 1 - place.quality if indicator in LOW else place.quality
    if random.random() < 0.3:
        return _on_scale(measure, Decimal(random.choice((high, high, high - 1, (low + high) // 2))))
    if measure == "mean_sgp" and random.random() < 0.3:
        return Decimal(random.choice(("29.9", "30.0", "39.9", "40.0", "49.9", "50.0", "59.9", "60.0")))
    middle = low + (high - low) * quality + random.randint(-40, 40) * TENTH
    return _on_scale(measure, middle.quantize(TENTH))


@cache
def _scale(measure: str) -> tuple[Decimal, Decimal]:
    low, high = map(Decimal, POLICY.get(2025, "measure_scale", measure).split())
    return low, high


def _on_scale(measure: str, value: Decimal) -> Decimal:
    low, high = _scale(measure)
    return min(max(value, low), high).quantize(TENTH)


def _published(random: Random, year: int, results: list[Result]) -> Iterator[dict[str, object]]:
    """Rows of the Department's workbook for some organisations, with gaps among the figures."""
    assigned = POLICY.get(year, "target_path", "assigned") == "yes"
    with_path = POLICY.get(year, "target_path", "indicators").split()
    names = POLICY.table(year, "target_indicator")
    prior = {(*row.key, row.measure): row.value for row in results if row.school_year == DELIVERED[year][-2]}
    places: dict[tuple[str, str, str], list[Result]] = {}
    for row in results:
        if row.school_year == year and row.indicator in names and int(row.org_code[:4]) % 3 == 1:
            places.setdefault((row.org_code, row.gradespan, row.student_group), []).append(row)
    for (org, span, group), rows in places.items():
        if random.random() < 0.2:
            continue
        entry: dict[str, object] = {
            "district_code": f"{org[:4]}0000",
            "org_code": org,
            "student_group": POLICY.get(year, "group_label", group),
            "gradespan": POLICY.get(year, "gradespan_label", span),
        }
        for indicator, name in names.items():
            steps = ("increment_next", "increment_second") if indicator in with_path else ("increment",)
            for column in ("baseline", "included", "target", *steps):
                entry[f"{name}_{column}"] = None
            if indicator in with_path:
                entry[f"{name}_path"] = None
        for row in rows:
            if row.value is None or random.random() < 0.1:
                continue
            name, start = names[row.indicator], prior.get((*row.key, row.measure)) or row.value
            step = random.randint(0, 20) * TENTH
            falls = POLICY.get(year, "indicator_direction", row.indicator) == "lower"
            entry[f"{name}_baseline"], entry[f"{name}_included"] = _on_scale(row.measure, start), row.n
            entry[f"{name}_target"] = _on_scale(row.measure, start - step if falls else start + step)
            if random.random() < 0.9:
                chosen = "increment_next" if row.indicator in with_path else "increment"
                entry[f"{name}_{chosen}"] = random.randint(0, 15) * TENTH
            if row.indicator in with_path and assigned:
                entry[f"{name}_path"] = random.choice(("Path Forward", "Recovery Path"))
        yield entry


def _cells(year: int, published: Published) -> dict[Key, tuple[dict[str, object], str]]:
    """Key of a result to its row of the workbook and the workbook's name of the indicator."""
    names = POLICY.table(year, "target_indicator")
    spans = {POLICY.get(year, "gradespan_label", span): span for span in SPANS}
    groups = {POLICY.get(year, "group_label", group): group for group in GROUPS}
    return {
        (str(row["org_code"]), spans[str(row["gradespan"])], groups[str(row["student_group"])], indicator): (row, name)
        for row in published
        for indicator, name in names.items()
    }


def _one_measure(year: int, results: list[Result], published: Published) -> list[Result]:
    """Without figures of the year before from which a target would be made on another measure than the year's."""
    now = {row.key: row.measure for row in results if row.school_year == year}
    cells = _cells(year, published)
    kept = []
    for row in results:
        other = row.school_year == DELIVERED[year][-2] and row.measure != now.get(row.key, row.measure)
        if other:
            entry, name = cells.get(row.key, ({}, ""))
            if entry.get(f"{name}_target") is None and row.value is not None:
                continue
            for column in entry.keys() & {f"{name}_increment", f"{name}_increment_next"}:
                entry[column] = None
        kept.append(row)
    return kept


def _at_published_targets(random: Random, year: int, results: list[Result], published: Published) -> list[Result]:
    """The results, some of this year's moved to, just below or just above their published target."""
    cells = _cells(year, published)
    moved = []
    for row in results:
        entry, name = cells.get(row.key, ({}, ""))
        goal = entry.get(f"{name}_target")
        if row.school_year == year and row.value is not None and isinstance(goal, Decimal) and random.random() < 0.7:
            row = row._replace(value=_on_scale(row.measure, goal + random.choice(AROUND_TARGET) * TENTH))
        moved.append(row)
    return moved


def _participation(random: Random, places: list[_School]) -> Iterator[ParticipationCount]:
    """Students who should test and who did, about the requirement, some without a year before."""
    for place in places:
        for span in place.spans:
            for group in place.groups:
                for subject in SUBJECTS:
                    if group == "lowest_performing" or random.random() < 0.05:
                        continue
                    should = random.choice((19, 20, random.randint(21, 400)))
                    missed = random.choices((0, should // 50, should // 20, should // 10), (70, 25, 4, 1))[0]
                    tested = should - missed
                    if random.random() < 0.3:
                        yield ParticipationCount(place.code, span, group, subject, should, tested)
                    else:
                        more = random.randint(1, 300)
                        both = tested + more - random.randint(0, more // 10)
                        yield ParticipationCount(place.code, span, group, subject, should, tested, should + more, both)


def _designations(random: Random, year: int, places: list[_School]) -> Iterator[Designation]:
    words = tuple(POLICY.table(year, "designation_reason"))
    for place in places:
        if place.code != STATE and random.random() < 0.05:
            until = random.choice((None, date(year - 1, 6, 30), date(year + 1, 6, 30)))
            yield Designation(
                place.code, random.choice(words), date(year - 3, 7, 1), until, "Board", "made up", "made-up ledger"
            )


def _recognitions(random: Random, year: int, places: list[_School]) -> Iterator[Recognition]:
    for place in places:
        if place.kind == "school" and random.random() < 0.08:
            ground = random.choice(tuple(POLICY.table(year, "recognition_label")))
            yield Recognition(
                random.choice((year, year, year - 1)), place.code, ground, "Commissioner", "made-up ledger"
            )


def _prior_annuals(random: Random, year: int, places: list[_School]) -> dict[tuple[str, str], Decimal] | None:
    """Kept annual percentages of the year before, where the year has them; some organisations are new."""
    prior = POLICY.find(year, "cumulative", "prior_year")
    if prior in (None, "none"):
        return None
    decimals = Decimal(1).scaleb(-int(POLICY.get(int(str(prior)), "decimals_kept", "annual")))
    return {
        (place.code, group): (Decimal(random.randint(0, 10000)) / 100).quantize(decimals)
        for place in places
        for group in place.groups
        if group != "lowest_performing" and random.random() < 0.85
    }
