"""Recomputing published categories: overall classification, reason, words of progress, federal designation.

Belongs here: what a page leaves open, as every way in which it may be filled, each classified like an organisation of
a run. Does not: the classification itself (`classification`, `federal`), nor how pages are read (`published`,
`published_hub`). A category is recomputed when it comes out however the page is filled, possible when the figures
given lead to it, not decided when only a figure that is not on the page could, and it differs when nothing could; of
several words each is held against what goes with those printed before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from itertools import product

from orchestration.determinations.classification import Determination, classify
from orchestration.determinations.classification_rules import ClassificationRules
from orchestration.determinations.federal import SchoolStanding, federal_designations
from orchestration.determinations.grounds import Facts
from orchestration.determinations.ledgers import Designation, Recognition
from orchestration.determinations.participation import ParticipationRate
from orchestration.determinations.printed_figures import (
    DIFFERS,
    POSSIBLE,
    RECOMPUTED,
    UNDECIDED,
    Figure,
    YearRules,
)
from orchestration.errors import InputError

DISTRICT_CODE, STATE_CODE = "0000", "00000000"
FOLLOWS = "follows from the figures given; a ground that the page does not show could lead elsewhere"
NEEDS_MORE = "needs a ground that the page does not show"
NEEDS_TITLE_I = "follows for some Title I status, which the page does not show"


@dataclass(frozen=True)
class Given:
    """What a page gives of an organisation. A name in `silent` is not on the page; any other None is none.

    `designation` and `recognition` are keys of the policy; percentages are whole as shown.
    """

    org_type: str
    silent: frozenset[str]
    percentile: int | None = None
    graduation_rate: Decimal | None = None
    participation: tuple[ParticipationRate, ...] = ()
    annual: int | None = None
    cumulative: int | None = None
    designation: str | None = None
    recognition: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcomes:
    """What the figures given lead to alone, and all they could lead to."""

    alone: Determination
    all: tuple[Determination, ...] = field(repr=False)


def type_of(org_code: str) -> str:
    """Codes of districts end in 0000; all zeros is the state."""
    if org_code == STATE_CODE:
        return "state"
    return "district" if org_code.endswith(DISTRICT_CODE) else "school"


def check_class(source: str, given: Given, printed: dict[str, str], rules: YearRules) -> Iterator[Figure]:
    """A figure for each of `printed`: overall_classification, reason, progress, recognition, federal_designation."""
    if federal := printed.pop("federal_designation", None):
        yield _federal(source, given, federal, rules)
    outcomes = _outcomes(rules, given)
    for name, words in printed.items():
        before = dict(list(printed.items())[: list(printed).index(name)])
        # Words must follow together: what goes with the words printed before, unless nothing does and those differ.
        together = [one for one in outcomes.all if all(_said(one, other) == said for other, said in before.items())]
        alone = _said(outcomes.alone, name)
        reachable = {_said(one, name) for one in together or outcomes.all}
        if reachable == {words}:
            yield Figure(source, name, words, words, RECOMPUTED)
        elif words not in reachable:
            yield Figure(source, name, words, " or ".join(sorted(reachable)), DIFFERS)
        elif alone == words:
            yield Figure(source, name, words, alone, POSSIBLE, FOLLOWS)
        else:
            yield Figure(source, name, words, alone, UNDECIDED, NEEDS_MORE)


def _said(found: Determination, name: str) -> str:
    if name == "recognition":
        return " - ".join(found.recognition)
    return str(getattr(found, name))


@lru_cache(maxsize=4096)
def _outcomes(year_rules: YearRules, given: Given) -> Outcomes:
    """Classify the organisation as given, and once for each way in which what the page does not show may be filled."""
    rules = year_rules.classification
    ways = [_with_what_a_name_on_a_list_says(rules, given), *_fillings(rules, given)]
    facts, designations, recognitions = [], [], []
    for number, way in enumerate(ways):
        code = f"{number:08d}"
        facts.append(
            Facts(
                code,
                way.org_type,
                percentile=way.percentile,
                graduation_rate=way.graduation_rate,
                participation=way.participation,
                annual=way.annual,
                cumulative=way.cumulative,
            )
        )
        if way.designation:
            day = rules.in_force_on
            designations.append(Designation(code, way.designation, day, None, "as printed", "as printed", "as printed"))
        recognitions += [
            Recognition(rules.year, code, ground, "as printed", "as printed") for ground in way.recognition
        ]
    alone, *filled = classify(rules, facts, designations, recognitions)[0]
    return Outcomes(alone, (alone, *filled))


def _with_what_a_name_on_a_list_says(rules: ClassificationRules, given: Given) -> Given:
    """A recognised school has the figures that every school needs to be classified; which they are is not shown."""
    if not given.recognition:
        return given
    figures = {"percentile": int(rules.percentile.value) + 1, "cumulative": rules.bands[0].low}
    return replace(given, **{name: figure for name, figure in figures.items() if name in given.silent})  # type: ignore[arg-type]


def _fillings(rules: ClassificationRules, given: Given) -> Iterator[Given]:
    """Every combination of what the silent figures may be, each in as few values as tests can tell apart."""
    limit = int(rules.percentile.value)
    is_school = given.org_type == "school"
    choices: dict[str, tuple[object, ...]] = {
        "designation": (None, *rules.designation_reasons),
        "recognition": ((), tuple(rules.recognition_labels)) if is_school else ((),),
        "percentile": (None, limit, limit + 1) if is_school else (None,),
        "cumulative": (None, *(band.low for band in rules.bands)),
        "participation": _participations(rules, given),
    }
    open_ones = {name: values for name, values in choices.items() if name in given.silent}
    for values in product(*open_ones.values()):
        way = replace(given, **dict(zip(open_ones, values, strict=True)))  # type: ignore[arg-type]
        yield way
        if not is_school and rules.single_school_as_school:
            # A district of one school is classified as that school, whose percentile may be missing.
            yield replace(way, org_type="school")


def _participations(rules: ClassificationRules, given: Given) -> tuple[tuple[ParticipationRate, ...], ...]:
    """As given, with any rate of one year that is not shown at its best, and with a group below the limit."""
    low, n = int(rules.participation.value) - 1, int(rules.participation_minimum.value)
    best = tuple(replace(rate, rate=100) if rate.rate is None else rate for rate in given.participation)
    failing = ParticipationRate(rules.participation_groups[0], "not shown", n, low, low)
    return given.participation, best, (*given.participation, failing)


def _federal(source: str, given: Given, printed: str, rules: YearRules) -> Figure:
    """The designation of the school for each Title I status and what the page leaves out of its groups."""
    low = int(rules.federal.tsi["group_percentile_at_most"].value)
    group = rules.federal.groups[0]
    found = set()
    for title_i, groups, alone in product(rules.federal.title_i, (None, low), (None, low)):
        standing = SchoolStanding(
            "00000000", title_i, given.percentile, given.graduation_rate, {group: groups}, {group: alone}
        )
        found.add(federal_designations(rules.federal, [standing])[0][0].designation)
    if found == {printed}:
        return Figure(source, "federal_designation", printed, printed, RECOMPUTED)
    if printed in found:
        return Figure(source, "federal_designation", printed, printed, POSSIBLE, NEEDS_TITLE_I)
    return Figure(source, "federal_designation", printed, " or ".join(sorted(found)), DIFFERS)


def designation_key(words: str, rules: ClassificationRules) -> str:
    """'Chronically underperforming' as the policy's key. Raises InputError for a word that it does not have."""
    key = "_".join(words.lower().split())
    if key not in rules.designation_reasons:
        raise InputError(f"designation: '{words}' is not one of {', '.join(rules.designation_reasons)}")
    return key


def recognition_keys(label: str, rules: ClassificationRules) -> tuple[str, ...]:
    """'High Growth - Exceeding Targets' as keys of the policy. Raises InputError for a ground that it does not have."""
    keys = {words: key for key, words in rules.recognition_labels.items()}
    parts = label.split(" - ")
    for part in parts:
        if part not in keys:
            raise InputError(f"recognition_category: '{part}' is not one of {', '.join(keys)}")
    return tuple(keys[part] for part in parts)
