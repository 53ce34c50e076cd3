"""The indicators that come from test results: achievement, growth and the lowest performing students.

Independent like indicator_oracle.py: written from the rules in words alone, plain Python, exact arithmetic. Read
top-down: `mcas_indicators` names the rules, `SchoolYear` says who counts where, `Results` what a test is worth.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tests.oracle.indicator_oracle import (
    STATE,
    Counted,
    Delivery,
    Figure,
    Key,
    attribute_rows,
    chronic_absenteeism,
    groups_by_student,
    has,
    indicators,
    places,
    sims,
    tally,
)
from tests.oracle.policy_reader import PROJECT_POLICY, Policy

Row = Mapping[str, Any]  # a row of a collection: column -> value
Members = dict[tuple[str, str], set[str]]  # (org_code, gradespan) -> students of the lowest performing group

SPANS = ("non_high", "high")


@dataclass(frozen=True)
class Count:
    """What an indicator is made of before it is summed up, in one gradespan."""

    indicator: str
    measure: str
    minimum_n: int
    counted: Counted


def indicator_results(
    year: int,
    deliveries: Mapping[int, Delivery],
    advanced_courses: AbstractSet[str],
    *,
    policy: Policy = PROJECT_POLICY,
) -> dict[Key, Figure]:
    """Every indicator result of the determinations of `year`: those of `indicators` and those of test results."""
    others = indicators(year, deliveries, advanced_courses, policy=policy)
    return others | mcas_indicators(year, deliveries, policy)


def mcas_indicators(year: int, deliveries: Mapping[int, Delivery], policy: Policy) -> dict[Key, Figure]:
    """Achievement and growth of the report groups, and the five indicators of the lowest performing students."""
    this, before = deliveries.get(year, {}), deliveries.get(year - 1, {})
    if not (has(this, "sims") and has(this, "mcas")):
        return {}
    school_year = SchoolYear(year, this, policy)
    tests = [
        count
        for subject in ("ela", "math", "science")
        for span in SPANS
        for count in (achievement(school_year, subject, span), growth(school_year, subject, span))
        if count
    ]
    figures: dict[Key, Figure] = {}
    for count in tests:
        figures |= tally(count.indicator, count.counted, school_year.groups, year, count.minimum_n, count.measure)

    prior = records(before, "mcas") if has(before, "mcas") else []
    members = lowest_non_high(school_year, prior) | lowest_high(school_year)
    chronic = chronic_absenteeism(sims(this), policy, year)
    absence = Count("chronic_absenteeism", "percent", int(policy.get(year, "minimum_n", "students")), chronic)
    for (place, span), students in members.items():
        status = lowest_status(school_year, place, span)
        if status is None:
            continue
        lowest = {student: {"lowest_performing"} for student in students}
        for count in [*tests, absence]:
            if count.indicator == "science_achievement" and not science_of_lowest(school_year, place, span):
                continue
            own = {
                key: amount
                for student in students
                if (amount := count.counted.get(key := (place, span, student))) is not None
            }
            figures |= tally(count.indicator, own, lowest, year, count.minimum_n, count.measure, status)
    return figures


# --- Who counts where ------------------------------------------------------------------------------------------------


class SchoolYear:
    """The test rows of a year, and the places where their students count for achievement and growth."""

    def __init__(self, year: int, delivery: Delivery, policy: Policy) -> None:
        self.year, self.policy = year, policy
        roll = sims(delivery)
        attributes = attribute_rows(roll)
        self.groups = groups_by_student(attributes)
        self.rows = [
            row
            for row in records(delivery, "mcas")
            if row["sasid"] in attributes and attributes[row["sasid"]].el_first_year != "01"
        ]
        self.full_year_at: set[tuple[str, str]] = set()  # (student, school): there since October
        self.october_in: set[tuple[str, str]] = set()  # (student, district): there on October 1, at any school
        for entry in roll:
            if entry.collection_period == "end_of_year" and entry.enrolled_since_october == "1":
                self.full_year_at.add((entry.sasid, entry.school_code))
            if entry.collection_period == "october_1":
                self.october_in.add((entry.sasid, district_of(entry.school_code)))
        directory = records(delivery, "organisations") if has(delivery, "organisations") else []
        self.single = single_school_districts(directory)
        self.words = policy.table(year, "full_year")
        self.where = {row["sasid"]: self.places_of(row["sasid"], row["school_code"]) for row in self.rows}

    def places_of(self, student: str, school: str) -> set[str]:
        """Where a student tested at `school` counts."""
        district = district_of(school)
        since_school = (student, school) in self.full_year_at
        since_district = since_school or (student, district) in self.october_in
        counts = {
            school: self.applies("school", district, since_school),
            district: self.applies("district", district, since_district),  # last: a row of the district's own
        }
        return {place for place, applies in counts.items() if applies} | (
            {STATE} if self.words["state"] == "all_tested" or since_district else set()
        )

    def applies(self, level: str, district: str, since_october: bool) -> bool:
        """Does a student count at this level? In a district with one school by the word for such districts."""
        word = self.words["single_school_district" if district in self.single else level]
        return word == "all_tested" or since_october

    def in_span(self, rule: str, subject: str, span: str) -> Iterator[Row]:
        """The rows whose grade the policy counts for the subject in the gradespan."""
        grades = self.grades(rule, subject, span)
        return (row for row in self.rows if row["grade"] in grades)

    def grades(self, rule: str, subject: str, span: str) -> set[str]:
        return set((self.policy.find(self.year, rule, f"{subject}_{span}") or "").split())

    def count(self, amounts: Iterable[tuple[Row, int | None]], span: str) -> Counted:
        """Each student with an amount, at every place where the student counts."""
        return {
            (place, span, row["sasid"]): amount
            for row, amount in amounts
            if amount is not None
            for place in self.where[row["sasid"]]
        }


def single_school_districts(organisations: Sequence[Row]) -> set[str]:
    schools = Counter(row["district_code"] for row in organisations if row["org_type"] == "school")
    return {district for district, number in schools.items() if number == 1}


# --- Achievement and growth ------------------------------------------------------------------------------------------


class Results:
    """What a test of one subject is worth in one gradespan and year."""

    def __init__(self, school_year: SchoolYear, subject: str, span: str) -> None:
        policy, year = school_year.policy, school_year.year
        self.subject = subject
        self.measure = policy.find(year, "achievement_measure", f"{subject}_{span}")
        self.best_counts = (subject, span) == ("science", "high")
        bands = policy.table(year, "cpi_legacy_score")
        self.bands = {int(bound): int(points) for bound, points in bands.items()}  # lower bound -> points
        self.alternate = {level: int(points) for level, points in policy.table(year, "cpi_alternate").items()}

    def amount(self, row: Row) -> int | None:
        """The score or the points; None without a result."""
        if self.measure == "scaled_score":
            return self.scaled_score(row)
        if self.measure == "cpi":
            return self.points(row)
        return None

    def scaled_score(self, row: Row) -> int | None:
        if self.best_counts and (best := row.get("science_highest_scaled_score")) is not None:
            return int(best)
        return tested_score(row, self.subject)

    def points(self, row: Row) -> int | None:
        if self.is_alternate(row):
            return self.alternate_points(row)
        score = self.legacy_score(row)
        return None if score is None else self.points_of(score)

    def points_of(self, score: int) -> int | None:
        """The points of the highest lower bound that is not above the score."""
        reached = [bound for bound in self.bands if bound <= score]
        return self.bands[max(reached)] if reached else None

    def is_alternate(self, row: Row) -> bool:
        """MCAS-Alt counts by its level, unless a best science result is there."""
        best = row.get("science_highest_legacy_score") if self.best_counts else None
        return row.get(f"{self.subject}_assessment") == "AL" and best is None

    def alternate_points(self, row: Row) -> int | None:
        tested = row.get(f"{self.subject}_test_status") == "T"
        level = row.get(f"{self.subject}_performance_other")
        return self.alternate.get(level) if tested and level else None

    def legacy_score(self, row: Row) -> int | None:
        """The score on the legacy scale of anything but MCAS-Alt."""
        if self.best_counts and (best := row.get("science_highest_legacy_score")) is not None:
            return int(best)
        if row.get(f"{self.subject}_test_status") != "T":
            return None
        column = {"LG": "scaled_score", "NG": "legacy_equivalent"}.get(row.get(f"{self.subject}_assessment") or "")
        return row.get(f"{self.subject}_{column}") if column else None

    def ranking_score(self, row: Row) -> int | None:
        """The result that high school students are ranked by; in a CPI year MCAS-Alt as the bound with its points."""
        if self.measure != "cpi":
            return self.amount(row)
        if not self.is_alternate(row):
            return self.legacy_score(row)
        points = self.alternate_points(row)
        return max((bound for bound, worth in self.bands.items() if worth == points), default=None)


def tested_score(row: Row, subject: str) -> int | None:
    """The scaled score as delivered (of MCAS-Alt the composite) of a student who was tested."""
    return row.get(f"{subject}_scaled_score") if row.get(f"{subject}_test_status") == "T" else None


def achievement(school_year: SchoolYear, subject: str, span: str) -> Count | None:
    """Scores or points of the students who count; nothing in a year without a measure."""
    results = Results(school_year, subject, span)
    if results.measure is None:
        return None
    rows = school_year.in_span("tested_grades", subject, span)
    counted = school_year.count(((row, results.amount(row)) for row in rows), span)
    minimum = int(school_year.policy.get(school_year.year, "minimum_n", "students"))
    return Count(f"{subject}_achievement", results.measure, minimum, counted)


def growth(school_year: SchoolYear, subject: str, span: str) -> Count:
    """Growth percentiles of tested students who count for achievement there, with a score or without."""
    rows = school_year.in_span("growth_grades", subject, span)
    counted = school_year.count(((row, percentile(row, subject)) for row in rows), span)
    minimum = int(school_year.policy.get(school_year.year, "minimum_n", "growth"))
    return Count(f"{subject}_growth", "mean_sgp", minimum, counted)


def percentile(row: Row, subject: str) -> int | None:
    """The growth percentile of a tested student; MCAS-Alt has none, whatever is delivered."""
    if row.get(f"{subject}_test_status") != "T" or row.get(f"{subject}_assessment") == "AL":
        return None
    return row.get(f"{subject}_growth_percentile")


# --- The lowest performing students ----------------------------------------------------------------------------------


def lowest_non_high(school_year: SchoolYear, prior: Sequence[Row]) -> Members:
    """Students in the same place two years running, ranked by last year's English language arts and mathematics."""
    last_year = {row["sasid"]: row for row in prior}
    figures: list[tuple[Row, str, Fraction]] = []
    grades = grades_with_a_test(school_year, "non_high")
    for row in school_year.rows:
        before = last_year.get(row["sasid"])
        if before is None or row["grade"] not in grades:
            continue
        figure = mean([tested_score(before, "ela"), tested_score(before, "math")])
        if figure is not None:
            same = school_year.where[row["sasid"]] & places(before["school_code"])
            figures += [(row, place, figure) for place in same]
    return lowest_quarter(school_year, figures, "non_high")


def lowest_high(school_year: SchoolYear) -> Members:
    """Students ranked by this year's English language arts and mathematics."""
    results = [Results(school_year, subject, "high") for subject in ("ela", "math")]
    figures: list[tuple[Row, str, Fraction]] = []
    grades = grades_with_a_test(school_year, "high")
    for row in school_year.rows:
        if row["grade"] in grades:
            figure = mean([result.ranking_score(row) for result in results])
            if figure is not None:
                figures += [(row, place, figure) for place in school_year.where[row["sasid"]]]
    return lowest_quarter(school_year, figures, "high")


def grades_with_a_test(school_year: SchoolYear, span: str) -> set[str]:
    """The grades with an English language arts or a mathematics test."""
    return school_year.grades("tested_grades", "ela", span) | school_year.grades("tested_grades", "math", span)


def mean(scores: Iterable[int | None]) -> Fraction | None:
    found = [score for score in scores if score is not None]
    return Fraction(sum(found), len(found)) if found else None


def lowest_quarter(school_year: SchoolYear, figures: Iterable[tuple[Row, str, Fraction]], span: str) -> Members:
    """Who ranks within the share of the candidates of a place and grade; a rank is one more than the number below."""
    share = Fraction(school_year.policy.get(school_year.year, "lowest_performing", "share"))
    candidates: dict[tuple[str, str], list[tuple[Fraction, str]]] = defaultdict(list)
    for row, place, figure in figures:
        candidates[place, row["grade"]].append((figure, row["sasid"]))
    members: Members = defaultdict(set)
    for (place, _), ranked in candidates.items():
        ranked.sort()
        below, last = 0, None
        for position, (figure, student) in enumerate(ranked):
            if figure != last:
                below, last = position, figure
            if below + 1 <= share * len(ranked):
                members[place, span].add(student)
    return dict(members)


def lowest_status(school_year: SchoolYear, place: str, span: str) -> str | None:
    """The status of figures with enough students, or None where the level has no such group in this year."""
    word = school_year.policy.find(school_year.year, "lowest_performing", f"{level_of(place)}_{span}") or "none"
    return {"reported": "ok", "not_reported": "not_applicable", "none": None}[word]


def science_of_lowest(school_year: SchoolYear, place: str, span: str) -> bool:
    return school_year.policy.get(school_year.year, "lowest_performing_science", f"{level_of(place)}_{span}") == "yes"


# --- Places and reading ----------------------------------------------------------------------------------------------


def district_of(school: str) -> str:
    return school[:4] + "0000"


def level_of(place: str) -> str:
    return "state" if place == STATE else "district" if place.endswith("0000") else "school"


def records(delivery: Delivery, collection: str) -> list[Row]:
    """The accepted rows of a collection as dicts."""
    paths: Sequence[Path] = delivery[collection]
    rows: list[Row] = []
    for path in paths:
        with pq.ParquetFile(path) as file:
            rows += file.read().to_pylist()
    return rows
