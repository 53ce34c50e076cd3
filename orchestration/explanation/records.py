"""The student records behind one figure: those that counted and those left out by a rule, each by delivery and row.

Belongs here: which figure is asked, reading the rows that dbt lists (models of the folder records), holding them
against the released figure. Does not: any rule on who counts; that is what the models say. Wording is `records_text`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from orchestration.errors import InputError
from orchestration.explanation.reading import Dossier, Row
from orchestration.identifiers import hashed
from orchestration.policy import EVERY, STATUSES, Register

COUNTED = "counted"
LOWEST = "lowest_performing"
PARTICIPATION = "_participation"
"""Ending of the indicators that stand for the rows of participation_results, by subject."""
MODELS = {
    **dict.fromkeys(("ela_achievement", "math_achievement", "science_achievement"), "records_mcas"),
    **dict.fromkeys(("ela_growth", "math_growth"), "records_mcas"),
    "chronic_absenteeism": "records_chronic_absenteeism",
    "el_progress": "records_el_progress",
    "advanced_coursework": "records_advanced_coursework",
    "annual_dropout": "records_annual_dropout",
    **dict.fromkeys(("four_year_graduation", "extended_engagement"), "records_cohorts"),
    **dict.fromkeys((f"{subject}{PARTICIPATION}" for subject in ("ela", "math", "science")), "records_participation"),
}
"""Indicator to the dbt model that lists its rows."""
NOT_COVERED = (
    "rows set aside at intake (their number stands beside each delivery)",
    "the earlier half of a two-year participation rate",
    "enrolment counts",
)
"""What a listing does not hold; every listing says so."""


@dataclass(frozen=True)
class Figure:
    """A released figure. For participation the numerator is who was tested, the denominator who should have been."""

    org_code: str
    indicator: str
    gradespan: str
    student_group: str
    measure: str
    value: str | None
    numerator: int
    denominator: int
    data_year: int
    status: str

    @property
    def model(self) -> str:
        """The dbt model that lists its rows."""
        return "records_lowest_performing" if self.student_group == LOWEST else MODELS[self.indicator]

    @property
    def is_share(self) -> bool:
        """Whether its numerator counts students, and is no sum of scores."""
        return self.measure == "percent"


@dataclass(frozen=True)
class Source:
    """A delivered row: number of its delivery in the listing, its row number there, what it says."""

    delivery: int
    row: int
    detail: str


@dataclass(frozen=True)
class Student:
    """A student by keyed hash: what it adds to the numerator (None when left out), the rule that leaves it out."""

    student: str
    amount: int | None
    rule: str | None
    rows: tuple[Source, ...]


@dataclass(frozen=True)
class Listing:
    """The rows behind a figure, which they reproduce. `left_out_by`: students left out by rule, whether listed or not.

    `counted` and `left_out` hold every student, or the first of them up to the limit asked for.
    """

    figure: Figure
    counted: tuple[Student, ...]
    left_out: tuple[Student, ...]
    left_out_by: Mapping[str, int]
    deliveries: tuple[Row, ...]
    rules: Mapping[str, Row]


def figure_asked(dossier: Dossier, indicator: str | None, group: str | None, gradespan: str | None) -> Figure:
    """The released figure that is asked for. Raises InputError naming the option that lacks or finds nothing."""
    release = dossier.release
    if release.source != "student":
        raise InputError(
            f"{release.year}/{release.name}: made from public aggregates; there are no student records behind it"
        )
    if indicator not in MODELS or group is None:
        raise InputError(
            f"--records needs --group and --indicator, one of {', '.join(MODELS)}; given: {indicator or 'none'}"
        )
    _ = dossier.organisation  # says so where there is none
    found = [f for f in _figures(dossier, indicator) if f.student_group == group]
    wanted = [f for f in found if gradespan in (None, f.gradespan)]
    place = f"{dossier.org_code}, {indicator}, {group}"
    if not wanted:
        there = sorted({f"{f.student_group}/{f.gradespan}" for f in _figures(dossier, indicator)})
        raise InputError(
            f"{place}, {gradespan or 'any gradespan'}: no such figure; there are: {', '.join(there) or 'none'}"
        )
    if len(wanted) > 1:
        raise InputError(f"{place}: a figure for each of {', '.join(f.gradespan for f in wanted)}; add --gradespan")
    return wanted[0]


def _figures(dossier: Dossier, indicator: str) -> Iterable[Figure]:
    """Figures of an indicator in every gradespan and group."""
    if indicator.endswith(PARTICIPATION):
        for (span, group, subject), row in dossier.participation.items():
            if subject == indicator.removesuffix(PARTICIPATION):
                value = None if row["rate"] is None else str(row["rate"])
                counts = (value, row["tested"], row["should_test"], row["school_year"], row["status"])
                yield Figure(dossier.org_code, indicator, span, group, "percent", *counts)
        return
    for (span, group, name), row in dossier.figures.items():
        if name == indicator:
            value = None if row["value"] is None else str(row["value"])
            counts = (value, row["numerator"], row["denominator"], row["data_year"], row["status"])
            yield Figure(dossier.org_code, indicator, span, group, row["measure"], *counts)


def listing(
    con: duckdb.DuckDBPyConnection,
    figure: Figure,
    dossier: Dossier,
    *,
    key: bytes,
    register: Register,
    sentences: Mapping[str, str],
    quarantined: Mapping[str, int],
    limit: int | None = None,
) -> Listing:
    """The rows behind `figure` out of a database in which its model was built; it may be open for reading only.

    `key` hashes identifiers, `sentences` are the rules in words, `quarantined` rows set aside by sha256 of a delivery.
    At most `limit` students that counted and as many left out are listed. Raises InputError when the students who
    counted do not give the figure of the release.
    """
    _select(con, figure, key)
    _hold_against(figure, dossier, con)
    used = [sha for (sha,) in con.execute("SELECT DISTINCT _delivery FROM listed").fetchall()]
    deliveries = _deliveries(dossier, used, quarantined)
    numbers = {entry["sha256"]: entry["number"] for entry in deliveries}
    by_rule: dict[str, int] = dict(
        con.execute(
            f"SELECT outcome, count(*) FROM students WHERE outcome <> '{COUNTED}' GROUP BY ALL ORDER BY 2 DESC, 1"
        ).fetchall()
    )
    return Listing(
        figure,
        counted=tuple(_students(con, f"outcome = '{COUNTED}'", numbers, limit)),
        left_out=tuple(_students(con, f"outcome <> '{COUNTED}'", numbers, limit)),
        left_out_by=by_rule,
        deliveries=deliveries,
        rules={rule: _rule(rule, figure, dossier.release.year, register, sentences) for rule in by_rule},
    )


def _rule(rule: str, figure: Figure, year: int, register: Register, sentences: Mapping[str, str]) -> Row:
    """A rule in words with the weakest standing of its policy rows: those of the indicator, else all."""
    rows = [row for row in register.rows if row.rule_id == rule and row.policy_year in (str(year), EVERY)]
    own = [row for row in rows if row.parameter == figure.indicator] or rows
    return {"sentence": sentences[rule], "standing": max((row.status for row in own), key=STATUSES.index)}


def _select(con: duckdb.DuckDBPyConnection, figure: Figure, key: bytes) -> None:
    """Tables `listed` (a row a student and delivered row) and `students` (a row a student and outcome, numbered).

    A student whose grade is in no gradespan, or whose groups no record tells, is left out of each: listed with all.
    """
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE listed AS SELECT {hashed('?', 'sasid')} AS student, * EXCLUDE (sasid) "
        f"FROM {figure.model} WHERE org_code = ? AND indicator = ? "
        "AND coalesce(gradespan, ?) = ? AND coalesce(student_group, ?) = ?",
        [
            key.hex(),  # never in the statement, which an error of the engine would quote
            figure.org_code, figure.indicator, figure.gradespan, figure.gradespan,
            figure.student_group, figure.student_group,
        ],
    )  # fmt: skip
    con.execute(
        "CREATE OR REPLACE TEMP TABLE students AS SELECT student, outcome, max(CAST(amount AS BIGINT)) AS amount, "
        "row_number() OVER (ORDER BY outcome, min(_row), student) AS place FROM listed GROUP BY student, outcome"
    )


def _hold_against(figure: Figure, dossier: Dossier, con: duckdb.DuckDBPyConnection) -> None:
    """Raises InputError unless those who counted are the denominator, and what they add up to the numerator."""
    query = f"SELECT count(*), coalesce(sum(amount), 0) FROM students WHERE outcome = '{COUNTED}'"
    counted, total = con.execute(query).fetchall()[0]
    if (total, counted) != (figure.numerator, figure.denominator):
        release = dossier.release
        raise InputError(
            f"{release.year}/{release.name}: {figure.org_code}, {figure.indicator}, {figure.gradespan}, "
            f"{figure.student_group}: the records give {total} of {counted}, the release says {figure.numerator} of "
            f"{figure.denominator}; models or policy have changed since, run "
            f"--year {release.year} --from-release {release.name} says which"
        )


def _deliveries(dossier: Dossier, used: Iterable[str], quarantined: Mapping[str, int]) -> tuple[Row, ...]:
    """The deliveries of the listed rows, numbered from 1 in the order of the manifest."""
    wanted, names = {*used}, ("year", "collection", "part", "stage", "file", "sha256")
    found = {entry["sha256"]: entry for entry in dossier.manifest["inputs"] if entry["sha256"] in wanted}
    return tuple(
        {"number": number, **{name: entry[name] for name in names}, "set_aside": quarantined[sha]}
        for number, (sha, entry) in enumerate(found.items(), 1)
    )


def _students(
    con: duckdb.DuckDBPyConnection, condition: str, numbers: Mapping[str, int], limit: int | None
) -> Iterable[Student]:
    """Students of an outcome in the order of their first row, each with its rows."""
    query = (
        "SELECT s.place, s.student, s.amount, s.outcome, l._delivery, l._row, l.detail "
        f"FROM (SELECT * FROM students WHERE {condition} ORDER BY place LIMIT ?) AS s "
        "JOIN listed AS l USING (student, outcome) ORDER BY s.place, l._delivery, l._row"
    )
    rows: dict[int, tuple[Any, list[Source]]] = {}
    for place, student, amount, outcome, delivery, row, detail in con.execute(
        query, [limit if limit is not None else 2**62]
    ).fetchall():
        entry = rows.setdefault(place, ((student, amount, outcome), []))
        entry[1].append(Source(numbers[delivery], row, detail))
    for (student, amount, outcome), sources in rows.values():
        is_counted = outcome == COUNTED
        yield Student(student, amount if is_counted else None, None if is_counted else outcome, tuple(sources))


def document(found: Listing) -> dict[str, Any]:
    """The listing as one JSON-ready object, the part `records` of an explanation."""
    figure = found.figure
    return {
        "figure": {name: getattr(figure, name) for name in figure.__dataclass_fields__ if name != "org_code"},
        "deliveries": list(found.deliveries),
        "counted": [_entry(student, "amount") for student in found.counted],
        "left_out": [_entry(student, "rule") for student in found.left_out],
        "left_out_by": dict(found.left_out_by),
        "rules": dict(found.rules),
        "not_covered": list(NOT_COVERED),
    }


def _entry(student: Student, what: str) -> dict[str, Any]:
    rows = [{"delivery": row.delivery, "row": row.row, "detail": row.detail} for row in student.rows]
    return {"student": student.student, what: getattr(student, what), "rows": rows}
