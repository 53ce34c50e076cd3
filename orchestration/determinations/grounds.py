"""The grounds of a classification: every test of an organisation, with figure, threshold and distance.

Belongs here: what is known of an organisation, and comparing it with the limits. Does not: which ground decides
(classification), nor the limits (classification_rules). Source: rulebook section 9.2 and 9.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TypeAlias

from orchestration.determinations.classification_rules import ORG_TYPES, Band, ClassificationRules, Limit
from orchestration.determinations.ledgers import Designation
from orchestration.determinations.participation import ParticipationRate
from orchestration.determinations.trace import Value
from orchestration.errors import InputError
from orchestration.policy import PolicyRow

Figure: TypeAlias = "Decimal | int | str | None"


@dataclass(frozen=True)
class Facts:
    """What the earlier steps found about one organisation; None where there is no figure.

    Percentiles are 1-99 and belong to schools; `group_percentiles` by student group. `graduation_rate` is the four-year
    rate of all students, percent with one decimal. `annual` and `cumulative` are target percentages, whole as shown.
    `progress_keys` are the trace keys of those two. `only_school`: the school of a single-school district.
    """

    org_code: str
    org_type: str
    percentile: int | None = None
    group_percentiles: Mapping[str, int | None] = field(default_factory=dict)
    graduation_rate: Decimal | None = None
    participation: tuple[ParticipationRate, ...] = ()
    annual: int | None = None
    cumulative: int | None = None
    progress_keys: tuple[str, ...] = ()
    only_school: str | None = None


@dataclass(frozen=True)
class Check:
    """One comparison. `distance` is figure less threshold, in the figure's unit; `status` ok, or why there is none."""

    met: bool
    figure: Figure = None
    threshold: Figure = None
    distance: Decimal | int | None = None
    student_group: str = ""
    subject: str = ""
    status: str = "ok"

    def text(self) -> Mapping[str, Value]:
        """For the trace; parts that do not apply are left out."""
        parts: dict[str, Value] = {
            "student_group": self.student_group or None,
            "subject": self.subject or None,
            "figure": self.figure,
            "threshold": self.threshold,
            "distance": self.distance,
        }
        present = {name: part for name, part in parts.items() if part is not None}
        return {**present, "met": self.met, "status": self.status}


@dataclass(frozen=True)
class Ground:
    """One test of an organisation with all its comparisons; met where any of them is."""

    test: str
    checks: tuple[Check, ...]
    rows: tuple[PolicyRow, ...] = field(repr=False)
    upstream: tuple[str, ...] = ()

    @property
    def met(self) -> bool:
        """Whether the ground applies."""
        return any(check.met for check in self.checks)

    @property
    def met_groups(self) -> tuple[str, ...]:
        """Student groups for which it applies, once each, in the order tested."""
        return tuple(dict.fromkeys(check.student_group for check in self.checks if check.met))


def facts_by_code(facts: Iterable[Facts]) -> dict[str, Facts]:
    """Facts by organisation code. InputError for one that stands there twice or a figure outside its range."""
    found: dict[str, Facts] = {}
    for entry in facts:
        if entry.org_code in found:
            raise InputError(f"determinations: {entry.org_code} stands there twice")
        if entry.org_type not in ORG_TYPES:
            raise InputError(f"determinations: {entry.org_code}: org_type '{entry.org_type}' is not known")
        for name, figure, lowest, highest in _ranges(entry):
            if figure is not None and not lowest <= figure <= highest:
                raise InputError(f"determinations: {entry.org_code}: {name} {figure} is outside {lowest}-{highest}")
        found[entry.org_code] = entry
    return found


def _ranges(entry: Facts) -> Iterator[tuple[str, Decimal | int | None, int, int]]:
    yield "percentile", entry.percentile, 1, 99
    yield "graduation rate", entry.graduation_rate, 0, 100
    yield "annual percentage", entry.annual, 0, 100
    yield "cumulative percentage", entry.cumulative, 0, 100
    yield from ((f"percentile of {group}", found, 1, 99) for group, found in entry.group_percentiles.items())
    for rate in entry.participation:
        for figure in (rate.rate, rate.two_year_rate):
            yield f"participation of {rate.student_group} in {rate.subject}", figure, 0, 100


def grounds_of(
    rules: ClassificationRules, facts: Facts, designations: tuple[Designation, ...], recognised: frozenset[str]
) -> Iterator[Ground]:
    """Every test of this kind of organisation, met or not; without classifications in the year the designation only."""
    tests = rules.tests[facts.org_type]
    if "designation" in tests:
        rows = tuple(rules.designation_reasons[row.designation] for row in designations)
        yield Ground("designation", tuple(_designation(row) for row in designations), (rules.in_force_row, *rows))
    if not rules.classifies:
        return
    own = f"{rules.year}/{facts.org_code}/percentile"
    if "percentile" in tests:
        check = _at_most(facts.percentile, rules.percentile)
        yield Ground("percentile", (check,), (rules.percentile.row,), (f"{own}/all_students",))
    if "group_percentile" in tests:
        groups = [group for group in rules.groups if group in facts.group_percentiles]
        yield Ground(
            "group_percentile",
            tuple(_at_most(facts.group_percentiles[group], rules.group_percentile, group) for group in groups),
            (rules.group_percentile.row, rules.groups_row),
            tuple(f"{own}/{group}" for group in groups),
        )
    if "graduation_rate" in tests:
        check = _below(facts.graduation_rate, rules.graduation_rate, "all_students")
        yield Ground("graduation_rate", (check,), (rules.graduation_rate.row,))
    if "participation" in tests:
        rates = [rate for rate in facts.participation if rate.student_group in rules.participation_groups]
        rows = (rules.participation.row, rules.participation_rate, rules.participation_minimum.row)
        yield Ground("participation", tuple(_participation(rules, rate) for rate in rates), rows)
    figures = {"percentile": facts.percentile, "progress": percentage(facts)}
    checks = tuple(Check(figures[need] is None, figures[need], subject=need) for need in rules.needs[facts.org_type])
    yield Ground("insufficient_data", checks, (rules.needs_rows[facts.org_type],), facts.progress_keys)
    yield _progress(rules, facts)
    yield _recognition(rules, recognised)


def _designation(row: Designation) -> Check:
    return Check(True, row.designation, subject=f"{row.decided_by}, {row.effective_from}, {row.citation}: {row.reason}")


def _at_most(figure: int | None, limit: Limit, group: str = "") -> Check:
    if figure is None:
        return Check(False, threshold=limit.value, student_group=group, status="not_applicable")
    return Check(figure <= limit.value, figure, limit.value, figure - limit.value, group)


def _below(figure: Decimal | int | None, limit: Limit, group: str, subject: str = "") -> Check:
    if figure is None:
        return Check(False, None, limit.value, None, group, subject, "not_applicable")
    return Check(figure < limit.value, figure, limit.value, figure - limit.value, group, subject)


def _participation(rules: ClassificationRules, rate: ParticipationRate) -> Check:
    if rate.n < rules.participation_minimum.value:
        limit = rules.participation.value
        return Check(False, None, limit, None, rate.student_group, rate.subject, "n_too_small")
    one, two = rate.rate, rate.two_year_rate
    figure = {
        "one_year": one,
        "two_years": one if two is None else two,
        "better_of_one_and_two_years": max((found for found in (one, two) if found is not None), default=None),
    }[rules.participation_rate.value]
    return _below(figure, rules.participation, rate.student_group, rate.subject)


def _progress(rules: ClassificationRules, facts: Facts) -> Ground:
    """The band of the target percentage, and how far it is from the next better one."""
    figure, band = percentage(facts), band_of(rules, facts)
    if figure is None or band is None:
        return Ground("progress", (Check(False, status="not_applicable"),), (), facts.progress_keys)
    above = [other for other in rules.bands if other.low > figure]
    check = Check(True, figure, subject=band.reason)
    if above:
        check = replace(check, threshold=above[-1].low, distance=figure - above[-1].low)
    return Ground("progress", (check,), (band.row,), facts.progress_keys)


def _recognition(rules: ClassificationRules, recognised: frozenset[str]) -> Ground:
    needed = rules.recognition_needs
    if not recognised or needed is None:
        return Ground("recognition", (), ())
    distance = len(recognised) - needed.value
    check = Check(distance >= 0, len(recognised), needed.value, distance, subject=" ".join(sorted(recognised)))
    return Ground("recognition", (check,), (needed.row,))


def percentage(facts: Facts) -> int | None:
    """The cumulative target percentage where there is one, else the annual one."""
    return facts.annual if facts.cumulative is None else facts.cumulative


def band_of(rules: ClassificationRules, facts: Facts) -> Band | None:
    figure = percentage(facts)
    return None if figure is None else next((band for band in rules.bands if band.low <= figure <= band.high), None)
