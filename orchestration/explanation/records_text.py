"""A listing of the records behind a figure as plain lines: figure, deliveries, students who count, students left out.

Belongs here: wording. Does not: which rows are listed (`records`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orchestration.explanation.reading import Dossier, Row
from orchestration.explanation.records import NOT_COVERED, Figure, Listing, Student
from orchestration.explanation.spelling import NONE, spoken

DIGEST = 12
"""Digits of a delivery's sha256 that are printed."""


def text(found: Listing, dossier: Dossier) -> Iterator[str]:
    """The listing, a line a student."""
    figure, release = found.figure, dossier.release
    words = ", ".join(spoken(word) for word in (figure.indicator, figure.gradespan, figure.student_group))
    yield f"{dossier.organisation['org_name']} ({figure.org_code}), {release.year}: {words}"
    yield (
        f"released in {release.year}/{release.name}: {figure.value or NONE}, {spoken(figure.measure)} "
        f"({spoken(figure.status)}), numerator {figure.numerator}, denominator {figure.denominator}, "
        f"data of {figure.data_year}"
    )
    yield (
        f"the same from the records: {figure.denominator} students count, "
        + (f"{figure.numerator} of them in the numerator" if figure.is_share else f"they add up to {figure.numerator}")
    )
    yield from _section("Deliveries", (_delivery(entry) for entry in found.deliveries))
    shown = _shown(len(found.counted), figure.denominator)
    yield from _section(f"Students who count: {shown}", (_counted(s, figure) for s in found.counted))
    if found.left_out_by:
        by_rule = ", ".join(f"{rule} {number}" for rule, number in found.left_out_by.items())
        yield from _section(f"Left out by rule: {by_rule}", map(_rule, found.rules.items()))
    shown = _shown(len(found.left_out), sum(found.left_out_by.values()))
    yield from _section(f"Left out: {shown}", (f"{_student(s)}: {s.rule}" for s in found.left_out))
    yield from _section("Not listed here", NOT_COVERED)


def _section(head: str, lines: Iterable[str]) -> Iterator[str]:
    yield ""
    yield head
    for line in lines:
        yield f"  {line}"


def _shown(listed: int, there: int) -> str:
    return str(there) if listed == there else f"{there}, the first {listed} shown (--all-records shows all)"


def _delivery(entry: Row) -> str:
    name = " ".join(str(entry[part]) for part in ("year", "collection", "part", "stage") if entry[part])
    aside = f", {entry['set_aside']} rows set aside at intake" if entry["set_aside"] else ""
    return f"[{entry['number']}] {name}: {entry['file']}, sha256 {str(entry['sha256'])[:DIGEST]}…{aside}"


def _rule(entry: tuple[str, Row]) -> str:
    name, rule = entry
    return f"{name} ({rule['standing']}): {rule['sentence']}"


def _counted(student: Student, figure: Figure) -> str:
    if not figure.is_share:
        return f"{_student(student)}: {student.amount}"
    return f"{_student(student)}: {'in the numerator' if student.amount else 'not in the numerator'}"


def _student(student: Student) -> str:
    rows = "; ".join(f"[{row.delivery}] row {row.row} ({row.detail})" for row in student.rows)
    return f"student {student.student}, {rows}"
