"""Recomputing published cases: change, points and rating of an indicator row, dashes of a small group, categories.

Belongs here: one function a kind of case. Does not: the rules of points (`points`), nor what a page leaves open of a
category (`verify_classes`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from pydantic import BaseModel, TypeAdapter, ValidationError

from orchestration.determinations.participation import ParticipationRate
from orchestration.determinations.points import Award, Measured, award
from orchestration.determinations.points_rules import GrowthBand, PointsRules, Route, Yardstick
from orchestration.determinations.printed_figures import (
    DIFFERS,
    POSSIBLE,
    RECOMPUTED,
    UNDECIDED,
    Figure,
    RulesByYear,
    YearRules,
)
from orchestration.determinations.published import (
    Case,
    ClassificationCase,
    ClassificationInputs,
    ListCase,
    MinimumCase,
    Percent,
    PointsCase,
)
from orchestration.determinations.report_columns import ALL_STUDENTS
from orchestration.determinations.verify_classes import Given, check_class, designation_key, recognition_keys, type_of
from orchestration.errors import InputError
from orchestration.exact import half_up

Check: TypeAlias = Callable[[Case, YearRules], Iterator[Figure]]


def check_cases(cases: Iterable[Case], rules: RulesByYear) -> Iterator[Figure]:
    """Every printed figure of the cases. Raises InputError naming the case and the field at fault."""
    for case in cases:
        try:
            yield from CHECKS[case.kind](case, rules[case.year])
        except InputError as error:
            raise InputError(f"{case.id}: {error}") from None


def _points(case: PointsCase, rules: YearRules) -> Iterator[Figure]:
    given, expected = case.inputs, case.expected
    group = _group(given.group, rules)
    yardstick = rules.points.yardstick(given.gradespan, group, given.measure)
    if yardstick is None:
        raise InputError(f"inputs.measure: '{given.measure}' is no indicator of {given.gradespan}, {given.group}")
    if given.change is not None and given.prior is not None:
        change = given.current - given.prior
        outcome = RECOMPUTED if change == given.change else DIFFERS
        yield Figure(case.id, "change", str(given.change), str(change), outcome)
    path = given.path if given.path is not None else _printed_path(expected.reason, rules.points)
    made = award(
        Measured(
            org_code=given.org_code,
            gradespan=given.gradespan,
            student_group=group,
            indicator=given.measure,
            measure=(given.scale or yardstick.measure).lower(),
            current=given.current,
            n=given.n,
            prior=given.prior,
            target=given.target,
            path=path,
            comparisons=given.comparisons,
        ),
        rules.points,
    )
    outcome, why = _outcome(made, expected.points)
    yield Figure(case.id, "points", str(expected.points), str(made.points), outcome, why)
    if expected.reason is not None:
        in_words = _points_in_words(expected.reason, path, yardstick)
        if outcome == DIFFERS:
            outcome, why = _outcome(made, in_words)
        elif in_words != expected.points:
            outcome, why = DIFFERS, ""
        yield Figure(case.id, "reason", expected.reason, made.reason, outcome, why)


def _outcome(made: Award, printed: int | None) -> tuple[str, str]:
    """Whether the printed points follow. A statewide value that the page does not show could only give more."""
    if printed == made.points and not made.untested:
        return RECOMPUTED, ""
    if printed == made.points:
        keys = ", ".join(route.key for route in made.untested)
        return (
            POSSIBLE,
            f"follows from the figures given; statewide values not in the file ({keys}) could only give more",
        )
    giving = [route.key for route in made.untested if route.points == printed]
    if giving:
        return UNDECIDED, f"the figures given earn {made.points}; {printed} needs the statewide {' or '.join(giving)}"
    return DIFFERS, ""


def _points_in_words(reason: str, path: str, yardstick: Yardstick) -> int | None:
    """The points whose rating the words are, or None where they are nobody's."""
    ratings: tuple[Route | GrowthBand, ...] = (*yardstick.routes.get((False, False), ()), *yardstick.bands)
    words = reason.removeprefix(f"{path}: ") if path else reason
    return next((entry.points for entry in ratings if entry.rating == words), None)


def _printed_path(reason: str | None, rules: PointsRules) -> str:
    """The path that the report prints before the rating: assigned by the Department, hence given."""
    return next((path for path in sorted(rules.paths) if (reason or "").startswith(f"{path}: ")), "")


def _minimum(case: MinimumCase, rules: YearRules) -> Iterator[Figure]:
    given, expected = case.inputs, case.expected
    _group(given.group, rules)
    found = (y for (_, indicator), y in rules.points.yardsticks.items() if indicator == given.measure)
    yardstick = next(found, None)
    if yardstick is None:
        raise InputError(f"inputs.measure: '{given.measure}' is no indicator of {case.year}")
    is_small = given.n < yardstick.minimum_n
    computed = ("None", rules.points.none_display) if is_small else ("points", "a value")
    printed = (str(expected.points), expected.display)
    for name, shown, made in zip(("points", "display"), printed, computed, strict=True):
        if shown is not None:
            yield Figure(case.id, name, shown, made, RECOMPUTED if shown == made else DIFFERS)


def _classification(case: ClassificationCase, rules: YearRules) -> Iterator[Figure]:
    page, words = case.inputs, rules.classification
    org_type = type_of(page.org_code or "") if page.org_code else "district" if "(district)" in page.org else "school"
    given = Given(
        org_type,
        silent=frozenset(
            name
            for name, shown in (
                ("designation", page.designation),
                ("recognition", None),
                ("percentile", page.accountability_percentile),
                ("cumulative", _shown(page)),
                ("participation", None),
            )
            if shown is None
        ),
        percentile=page.accountability_percentile,
        graduation_rate=page.four_year_graduation_rate,
        participation=tuple(_participation(case, rules)),
        cumulative=_shown(page),
        designation=designation_key(page.designation, words) if page.designation else None,
    )
    printed = {name: text for name, text in case.expected if text is not None and name not in _extra(case.expected)}
    if page.cumulative_label is not None:
        printed["progress"] = page.cumulative_label
    yield from check_class(case.id, given, printed, rules)
    for name, text in _extra(case.expected).items():
        yield Figure(case.id, name, str(text), "", UNDECIDED, "no words of a determination")


def _extra(model: BaseModel) -> dict[str, object]:
    return model.__pydantic_extra__ or {}


def _shown(page: ClassificationInputs) -> int | None:
    """The target percentage that the page classifies by, whole as it is shown."""
    found = page.criterion_referenced_target_percentage if page.cumulative is None else page.cumulative
    return None if found is None else int(half_up(found, 0))


def _participation(case: ClassificationCase, rules: YearRules) -> Iterator[ParticipationRate]:
    """Rates of the whole school in the case's year (`participation_<year>`), and the one of a group over two years."""
    n = int(rules.classification.participation_minimum.value)
    of_year = f"participation_{case.year}"
    for name, shown in _extra(case.inputs).items():
        if name != of_year:
            raise InputError(f"inputs.{name}: is not known; participation of the year is {of_year}")
        try:
            rates = TypeAdapter(dict[str, Percent]).validate_python(shown)
        except ValidationError as error:
            raise InputError(f"inputs.{name}: {error.errors()[0]['msg']}") from None
        yield from (ParticipationRate(ALL_STUDENTS, s, n, int(half_up(rate, 0)), None) for s, rate in rates.items())
    if low := case.inputs.participation_two_year:
        yield ParticipationRate(_group(low.group, rules), low.subject, n, None, int(half_up(low.rate, 0)))


def _list(case: ListCase, rules: YearRules) -> Iterator[Figure]:
    words = rules.classification
    for school in case.expected.schools:
        source = f"{case.id}: {school.school}"
        designation = designation_key(school.designation, words) if school.designation else None
        label = school.recognition_category
        given = Given(
            "school",
            silent=frozenset({"percentile", "cumulative", "participation"})
            | ({"designation"} if designation is None else set())
            | ({"recognition"} if label is None else set()),
            designation=designation,
            recognition=recognition_keys(label, words) if label else (),
        )
        printed = {"reason": case.inputs.reason}
        if label:
            printed["recognition"] = label
        yield from check_class(source, given, printed, rules)
    if case.expected.count is not None:
        shown, found = case.expected.count, len(case.expected.schools)
        yield Figure(case.id, "count", str(shown), str(found), RECOMPUTED if shown == found else DIFFERS)


def _group(label: str, rules: YearRules) -> str:
    if label not in rules.groups:
        raise InputError(f"inputs.group: '{label}' is not a student group of {rules.year}")
    return rules.groups[label]


CHECKS: dict[str, Check] = {
    "indicator_points": _points,  # type: ignore[dict-item]
    "minimum_n": _minimum,  # type: ignore[dict-item]
    "classification": _classification,  # type: ignore[dict-item]
    "classification_list": _list,  # type: ignore[dict-item]
}
