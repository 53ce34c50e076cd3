"""Classification of schools, districts and the state, with every ground tested and kept.

Belongs here: deciding by the policy's precedence, and the steps of it. Does not: the tests (grounds), thresholds, words
and precedence themselves (classification_rules), federal designations (federal).
Source: rulebook section 9; 603 CMR 2.03.

Every ground is tested, also after one is met, and keeps its figure, threshold and distance, so that a reader sees why
and why not. A designation stands without data; grounds for assistance stand without a percentile (a district of 2023 is
published in need of support without a target percentage); progress bands are the last resort.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from orchestration.determinations.classification_rules import Band, ClassificationRules, overall_of
from orchestration.determinations.grounds import Facts, Ground, band_of, facts_by_code, grounds_of
from orchestration.determinations.ledgers import Designation, Recognition, designations_in_force, recognitions_of
from orchestration.determinations.trace import Step, Value
from orchestration.errors import InputError
from orchestration.policy import PolicyRow


@dataclass(frozen=True)
class Determination:
    """The determination of one organisation in a year, in the year's exact words.

    `decided_by` names the stage of the precedence. `progress` is the word of the target percentage, whatever decided.
    `status` is ok, or not_applicable in a year without classifications (then words are None).
    """

    school_year: int
    org_code: str
    org_type: str
    overall_classification: str | None
    reason: str | None
    decided_by: str | None
    grounds: tuple[Ground, ...]
    percentile: int | None
    annual: int | None
    cumulative: int | None
    progress: str | None
    low_performing_groups: tuple[str, ...] = ()
    low_participation_groups: tuple[str, ...] = ()
    designations: tuple[Designation, ...] = ()
    recognition: tuple[str, ...] = ()
    status: str = "ok"

    @property
    def key(self) -> str:
        """Key of the step that decided it."""
        return f"{self.school_year}/{self.org_code}/classification"


def classify(
    rules: ClassificationRules,
    facts: Iterable[Facts],
    designations: Iterable[Designation] = (),
    recognitions: Iterable[Recognition] = (),
) -> tuple[list[Determination], list[Step]]:
    """Determinations in the order of `facts` and their steps, one a ground and one for the decision.

    Raises InputError for an organisation twice, a figure outside its range, a ledger row that names an organisation
    without facts, and designations that contradict each other.
    """
    entries = facts_by_code(facts)
    reasons, excludes = rules.designation_reasons, rules.designation_excludes
    in_force = designations_in_force(designations, rules.in_force_on, reasons, excludes)
    recognised = recognitions_of(recognitions, rules.year, rules.recognition_labels)
    for ledger, codes in (("designations", in_force), ("recognitions", recognised)):
        if unknown := sorted(set(codes) - set(entries)):
            raise InputError(f"{ledger}: {unknown[0]} is not an organisation of {rules.year}")
    found: dict[str, Determination] = {}
    steps: list[Step] = []
    # Schools first: a single-school district takes over what its school was given.
    for entry in sorted(entries.values(), key=lambda entry: entry.only_school is not None):
        code = entry.org_code
        if entry.only_school and rules.single_school_as_school and code not in in_force:
            determination, step = _as_school(rules, entry, found)
            steps.append(step)
        else:
            determination, more = _classify(rules, entry, in_force.get(code, ()), recognised.get(code, frozenset()))
            steps += more
        found[code] = determination
    return [found[code] for code in entries], steps


def _classify(
    rules: ClassificationRules, facts: Facts, designations: tuple[Designation, ...], recognised: frozenset[str]
) -> tuple[Determination, list[Step]]:
    grounds = {ground.test: ground for ground in grounds_of(rules, facts, designations, recognised)}
    band = band_of(rules, facts)
    determination = Determination(
        school_year=rules.year,
        org_code=facts.org_code,
        org_type=facts.org_type,
        overall_classification=None,
        reason=None,
        decided_by=None,
        grounds=tuple(grounds.values()),
        percentile=facts.percentile,
        annual=facts.annual,
        cumulative=facts.cumulative,
        progress=rules.reasons[band.reason].value if band else None,
        low_performing_groups=grounds["group_percentile"].met_groups if "group_percentile" in grounds else (),
        low_participation_groups=grounds["participation"].met_groups if "participation" in grounds else (),
        designations=designations,
        status="ok" if rules.classifies else "not_applicable",
    )
    rows: tuple[PolicyRow, ...] = (rules.calendar,)
    if rules.classifies:
        stage, reason = _decide(rules, grounds, designations, band)
        overall = overall_of(reason)
        labels = tuple(label for ground, label in rules.recognition_labels.items() if ground in recognised)
        rows = (rules.precedence_row, rules.overall[overall], rules.reasons[reason])
        determination = replace(
            determination,
            overall_classification=rules.overall[overall].value,
            reason=rules.reasons[reason].value,
            decided_by=stage,
            recognition=labels if reason == "recognition" else (),
        )
    steps = [_ground_step(determination, ground) for ground in grounds.values()]
    inputs: dict[str, Value] = {
        "org_type": facts.org_type,
        "designations": tuple(row.designation for row in designations),
        "met": tuple(ground.test for ground in grounds.values() if ground.met),
        "progress": determination.progress,
    }
    steps.append(_decision_step(determination, rows, inputs, tuple(step.key for step in steps)))
    return determination, steps


def _decide(
    rules: ClassificationRules,
    grounds: Mapping[str, Ground],
    designations: tuple[Designation, ...],
    band: Band | None,
) -> tuple[str, str]:
    """(stage, reason): the first stage of the precedence that has a reason to give."""
    given: dict[str, str] = {}
    if designations and "designation" in grounds:
        given["designation"] = rules.designation_reasons[designations[0].designation].value
    tests = {"percentile", "group_percentile", "graduation_rate", "participation"}
    if any(ground.met for test, ground in grounds.items() if test in tests):
        given["assistance_grounds"] = "focused_targeted"
    if grounds["insufficient_data"].met:
        given["insufficient_data"] = "insufficient_data"
    elif band is not None:
        given["progress"] = "recognition" if grounds["recognition"].met else band.reason
    stage = next(stage for stage in rules.precedence if stage in given)
    return stage, given[stage]


def _as_school(
    rules: ClassificationRules, facts: Facts, found: Mapping[str, Determination]
) -> tuple[Determination, Step]:
    """A single-school district is classified as its school; percentiles stay with schools."""
    school = found.get(facts.only_school or "")
    if school is None:
        raise InputError(f"organisations: {facts.only_school}, the only school of {facts.org_code}, has no facts")
    district = replace(
        school,
        org_code=facts.org_code,
        org_type=facts.org_type,
        percentile=None,
        annual=facts.annual,
        cumulative=facts.cumulative,
        recognition=(),
    )
    inputs: dict[str, Value] = {"org_type": facts.org_type, "only_school": school.org_code}
    return district, _decision_step(district, (rules.single_school_row,), inputs, (school.key,))


def _ground_step(determination: Determination, ground: Ground) -> Step:
    return Step(
        school_year=determination.school_year,
        org_code=determination.org_code,
        kind="classification",
        indicator=ground.test,
        rule_id=ground.rows[0].rule_id if ground.rows else ground.test,
        inputs={"checks": tuple(check.text() for check in ground.checks)},
        parameters=ground.rows,
        outcome={"met": ground.met},
        upstream=ground.upstream,
    )


def _decision_step(
    determination: Determination, rows: tuple[PolicyRow, ...], inputs: Mapping[str, Value], upstream: tuple[str, ...]
) -> Step:
    return Step(
        school_year=determination.school_year,
        org_code=determination.org_code,
        kind="classification",
        rule_id="classification",
        inputs=inputs,
        parameters=rows,
        outcome={
            "overall_classification": determination.overall_classification,
            "reason": determination.reason,
            "decided_by": determination.decided_by,
            "low_performing_groups": determination.low_performing_groups,
            "low_participation_groups": determination.low_participation_groups,
            "recognition": determination.recognition,
        },
        status=determination.status,
        upstream=upstream,
    )
