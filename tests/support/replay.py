"""Determinations taken once more from the rows of determination_trace alone, every step from the steps it names.

Belongs here: following a step's inputs upstream, and deciding again with the parameters that the step cites. Does not:
the policy files, the indicator tables or the rules of the room; what the trace does not tell is listed as lacking.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from orchestration.exact import half_up

ALL_STUDENTS = "all_students"
PROGRESS = ("annual", "cumulative")
REQUIRING = {"percentile", "group_percentile", "graduation_rate", "participation"}
ORDER = ("points", "column", "gradespan", "annual", "cumulative", "percentile", "federal", "classification")
"""Kinds in the order in which one rests on another; targets and comparisons come before points, which are taken."""


@dataclass(frozen=True)
class ReadStep:
    """A row of determination_trace with its JSON read."""

    key: str
    org_code: str
    kind: str
    gradespan: str
    student_group: str
    indicator: str
    inputs: Mapping[str, Any]
    cited: Mapping[tuple[str, str], str]
    outcome: Mapping[str, Any]
    status: str
    upstream: tuple[str, ...]

    def cites(self, rule: str) -> dict[str, str]:
        """Parameter to value of one rule."""
        return {parameter: value for (of, parameter), value in self.cited.items() if of == rule}


@dataclass
class Replayed:
    """What the steps lead to, and where that differs from what they say.

    `differences`: (key of the step, what). `lacking`: (kind of step, what a replay needs and the step does not hold),
    each time where the replay had to take the step's word. `determinations`: org_code to cells of the table.
    """

    outcomes: dict[str, dict[str, Any]] = field(default_factory=dict)
    determinations: dict[str, dict[str, Any]] = field(default_factory=dict)
    differences: list[tuple[str, str]] = field(default_factory=list)
    lacking: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))


def read_step(row: Mapping[str, Any]) -> ReadStep:
    """A row of the table, its parameters by rule and name."""
    cited = {(p["rule_id"], p["parameter"]): p["value"] for p in json.loads(row["parameters"])}
    texts = {name: row[name] for name in ("key", "org_code", "kind", "gradespan", "student_group", "indicator")}
    return ReadStep(
        **texts,
        inputs=json.loads(row["inputs"]),
        cited=cited,
        outcome=json.loads(row["outcome"]),
        status=row["status"],
        upstream=tuple(json.loads(row["upstream"])),
    )


def replay(rows: Iterable[Mapping[str, Any]]) -> Replayed:
    """Decide every step again, upstream first."""
    steps = {step.key: step for step in map(read_step, rows)}
    done = Replayed()
    standings = _standings(steps.values())
    words = {pair: value for step in steps.values() for pair, value in step.cited.items() if pair[0] == "reason_word"}
    by_kind: dict[str, Callable[[ReadStep], dict[str, Any]]] = {
        "points": lambda step: dict(step.outcome),
        "column": lambda step: _column(step, steps, done),
        "gradespan": lambda step: _gradespan(step, done),
        "annual": lambda step: _annual(step, done),
        "cumulative": lambda step: _cumulative(step, done),
        "percentile": lambda step: _percentile(step, standings, done),
        "federal": lambda step: _federal(step, done),
        "classification": lambda step: _classification(step, steps, words, done),
    }
    order = sorted((step for step in steps.values() if step.kind in by_kind), key=_order)
    for step in order:
        for key in step.upstream:
            if key not in steps:
                done.differences.append((step.key, f"names the step {key}, which is not there"))
        done.outcomes[step.key] = again = by_kind[step.kind](step)
        for name in again.keys() | step.outcome.keys():
            _agree(done, step.key, f"outcome {name}", again.get(name), step.outcome.get(name))
    return done


def _order(step: ReadStep) -> tuple[int, bool, bool]:
    """By kind; of a classification the grounds first, and a district last that is classified as its only school."""
    return ORDER.index(step.kind), not step.indicator, "only_school" in step.inputs


def _agree(done: Replayed, key: str, what: str, replayed: object, recorded: object) -> None:
    if _plain(replayed) != _plain(recorded):
        done.differences.append((key, f"{what}: {_plain(replayed)} replayed, {_plain(recorded)} recorded"))


def _plain(value: object) -> object:
    """Figures as the trace writes them compare alike: a decimal and its text, a tuple and a list."""
    if isinstance(value, Decimal):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _kept(done: Replayed, key: str) -> Decimal | None:
    found = done.outcomes.get(key, {}).get("kept")
    return None if found is None else Decimal(found)


def _percentage(kept: Decimal | None) -> dict[str, Any]:
    return {"kept": kept, "shown": None if kept is None else half_up(kept, 0)}


def _rounded(value: Fraction, step: ReadStep, what: str) -> Decimal:
    return half_up(value, int(step.cited["decimals_kept", what]))


def _column(step: ReadStep, steps: Mapping[str, ReadStep], done: Replayed) -> dict[str, Any]:
    """Weighted points earned of those possible; which category an indicator is in stands only in the totals."""
    nothing = dict.fromkeys(("weighted_earned", "weighted_possible", "kept", "shown"))
    points = {steps[key].indicator: done.outcomes[key]["points"] for key in step.upstream if key in done.outcomes}
    for indicator in points.keys() | step.inputs["points"].keys():
        own = f"points of {indicator} (from {step.key.replace('/column/', '/points/')}/{indicator})"
        _agree(done, step.key, own, points.get(indicator), step.inputs["points"].get(indicator))
    if not points:
        return nothing
    totals = step.inputs["totals"]
    possible = int(step.cited["possible_points", "per_indicator"]) * len(points)
    _agree(done, step.key, "points of all categories", sum(points.values()), sum(of for of, _ in totals.values()))
    _agree(done, step.key, "possible points", possible, sum(of for _, of in totals.values()))
    done.lacking["column", "column_indicators: the category of each indicator"] += 1
    weights = {name.partition(f"_{step.inputs['scheme']}_")[2]: w for name, w in step.cites("weight").items()}
    sums = [
        sum((Fraction(total[part]) * Fraction(weights[name]) / 100 for name, total in totals.items()), Fraction(0))
        for part in (0, 1)
    ]
    earned, of = (_rounded(total, step, "weighted_points") for total in sums)
    kept = _rounded(Fraction(earned) / Fraction(of) * 100, step, "column")
    done.lacking["column, gradespan, annual, cumulative", "decimals_shown: how the shown percentage is rounded"] += 1
    return {"weighted_earned": earned, "weighted_possible": of, **_percentage(kept)}


def _gradespan(step: ReadStep, done: Replayed) -> dict[str, Any]:
    """The mean of the two populations, or all students alone."""
    found = {"all": None, "lowest": None}
    for key in step.upstream:
        found["lowest" if key.endswith("/lowest_performing") else "all"] = _kept(done, key)
    for name, value in found.items():
        _agree(done, step.key, f"inputs {name}", value, step.inputs[name])
    everyone, lowest = found["all"], found["lowest"]
    if everyone is None:
        return _percentage(None)
    if lowest is None:
        return _percentage(_rounded(Fraction(everyone), step, "gradespan"))
    weights = {name: Fraction(value) for name, value in step.cites("population_weight").items()}
    total = Fraction(everyone) * weights["all"] + Fraction(lowest) * weights["lowest"]
    return _percentage(_rounded(total / sum(weights.values()), step, "gradespan"))


def _annual(step: ReadStep, done: Replayed) -> dict[str, Any]:
    """The gradespans by their weights; one that has no percentage does not count."""
    found = {key.split("/")[3]: kept for key in step.upstream if (kept := _kept(done, key)) is not None}
    for span in ("non_high", "high"):
        _agree(done, step.key, f"inputs {span}", found.get(span), step.inputs.get(span))
    if len(found) < 2:
        return _percentage(_rounded(Fraction(*found.values()), step, "annual") if found else None)
    weights = {span: Fraction(weight) for span, weight in step.inputs["weights"].items()}
    if step.cited["gradespan_weight", "method"] == "fixed":
        weights = {span: Fraction(step.cited["gradespan_weight", span]) for span in found}
    total = sum((Fraction(value) * weights[span] for span, value in found.items()), Fraction(0))
    return _percentage(_rounded(total / sum(weights.values()), step, "annual"))


def _cumulative(step: ReadStep, done: Replayed) -> dict[str, Any]:
    """The prior year's annual and this year's; the current alone where there is no other."""
    current = _kept(done, step.upstream[0])
    _agree(done, step.key, "inputs current", current, step.inputs["current"])
    prior = step.inputs["prior"]
    if current is None or prior is None:
        return _percentage(current)
    weights = {name: Fraction(step.cited["cumulative", f"{name}_weight"]) for name in ("prior", "current")}
    total = Fraction(prior) * weights["prior"] + Fraction(current) * weights["current"]
    return _percentage(_rounded(total / sum(weights.values()), step, "cumulative"))


def _standings(steps: Iterable[ReadStep]) -> dict[tuple[str, str], list[Fraction]]:
    """(Comparison set, student group) to the scores of all that were ranked."""
    found: dict[tuple[str, str], list[Fraction]] = defaultdict(list)
    for step in steps:
        if step.kind == "percentile" and "score" in step.inputs:
            found[step.inputs["comparison_set"], step.student_group].append(Fraction(step.inputs["score"]))
    return found


def _percentile(step: ReadStep, standings: Mapping[tuple[str, str], list[Fraction]], done: Replayed) -> dict[str, Any]:
    """Category means to year scores to the score, and its rank among the scores of all steps of its kind."""
    if "score" not in step.inputs:
        done.lacking["percentile", "n and status of the achievement rows of a school without percentile"] += 1
        return {"percentile": None}
    score, weight = Fraction(0), Fraction(0)
    for year, told in step.inputs["years"].items():
        _year_score(step, year, told, done)
        of = Fraction(step.cited["percentile_year_weight", year])
        score, weight = score + of * Fraction(told["score"]), weight + of
    _agree(done, step.key, "inputs score", str(score / weight), step.inputs["score"])
    others = standings[step.inputs["comparison_set"], step.student_group]
    below, ties = sum(other < score / weight for other in others), others.count(score / weight)
    place = {"below": below, "ties": ties, "ranked": len(others)}
    for name, count in place.items():
        _agree(done, step.key, f"inputs {name}", count, step.inputs[name])
    rule = {name: Fraction(value) for name, value in step.cites("percentile_rank").items()}
    share = (below + rule["tie_share"] * ties) / len(others)
    rank = (rule["multiplier"] * share + rule["addend"]).__floor__()
    again: dict[str, Any] = {"percentile": int(min(max(rank, rule["lowest"]), rule["highest"]))}
    if "alone" in step.outcome:
        done.lacking["percentile", "below, ties and ranked behind the percentile of a group as a school (alone)"] += 1
        again["alone"] = step.outcome["alone"]
    return again


def _year_score(step: ReadStep, year: str, told: Mapping[str, Any], done: Replayed) -> None:
    done.lacking["percentile", "column_indicators: the category of each ranked indicator"] += 1
    scheme = "_with_el_" if told["with_el"] else "_without_el_"
    weights = {n.partition(scheme)[2]: Fraction(w) for n, w in step.cites("weight").items() if scheme in n}
    if not told["categories"].keys() <= weights.keys():
        done.lacking["percentile", "weight rows of a year whose EL scheme is not the current year's"] += 1
        return
    means = {name: Fraction(mean) for name, mean in told["categories"].items()}
    total = sum((weights[name] * mean for name, mean in means.items()), Fraction(0))
    _agree(done, step.key, f"score of {year}", str(total / sum(weights[name] for name in means)), told["score"])


def _federal(step: ReadStep, done: Replayed) -> dict[str, Any]:
    """Every reason met; the kind by the word that the step cites."""
    own = done.outcomes[step.upstream[0]]["percentile"]
    _agree(done, step.key, "inputs percentile", own, step.inputs["percentile"])
    if step.cited["federal", "identification"] != "yes":
        return {"designation": step.cited["federal_word", "none"], "reasons": []}
    done.lacking["federal", "title_i_status, precedence, and the Title I schools behind csi_percentile_at_most"] += 1
    csi, is_title_i = step.cites("federal_csi"), not step.inputs["title_i"].startswith("Non-")
    at_most, rate = step.inputs["csi_percentile_at_most"], step.inputs["graduation_rate"]
    reasons = []
    if own is not None and own <= at_most and (is_title_i or csi["percentile_needs_title_i"] == "no"):
        reasons.append("csi/percentile")
    may = is_title_i or csi["graduation_rate_needs_title_i"] == "no"
    if may and rate is not None and Decimal(rate) < Decimal(csi["graduation_rate_below"]):
        reasons.append("csi/graduation_rate")
    for kind, name in (("tsi", "group_percentile_at_most"), ("atsi", "percentile_alone_at_most")):
        for key in step.upstream[1:] if is_title_i or step.cited["federal_tsi", "needs_title_i"] == "no" else ():
            figure = done.outcomes[key].get("alone" if kind == "atsi" else "percentile")
            if figure is not None and figure <= int(step.cited[f"federal_{kind}", name]):
                reasons.append(f"{kind}/{key.rpartition('/')[2]}")
    kinds = {reason.partition("/")[0] for reason in reasons}
    kind = next((kind for kind in ("csi", "atsi", "tsi") if kind in kinds), "none")
    return {"designation": step.cited.get(("federal_word", kind)), "reasons": reasons}


def _classification(
    step: ReadStep, steps: Mapping[str, ReadStep], words: Mapping[tuple[str, str], str], done: Replayed
) -> dict[str, Any]:
    if step.indicator:
        every = [_is_met(step, check, done) for check in step.inputs["checks"]]
        return {"met": any(every)}
    if "only_school" in step.inputs:
        year = step.key.partition("/")[0]
        school = done.determinations[step.inputs["only_school"]]
        annual, cumulative = (_progress(done, f"{year}/{step.org_code}/{kind}/{ALL_STUDENTS}") for kind in PROGRESS)
        cells = {**school, "percentile": None, "annual": annual, "cumulative": cumulative, "recognition": []}
        decided = {name: cells[name] for name in step.outcome}
    else:
        decided, cells = _decision(step, steps, words, done)
    done.determinations[step.org_code] = {**cells, **decided, "org_type": step.inputs["org_type"]}
    return decided


def _progress(done: Replayed, key: str) -> int | None:
    shown = done.outcomes.get(key, {}).get("shown")
    return None if shown is None else int(shown)


LIMITS = {
    "percentile": ("percentile_test", "at_most"),
    "group_percentile": ("group_percentile_test", "at_most"),
    "graduation_rate": ("graduation_rate_test", "below"),
    "participation": ("participation_test", "below"),
    "recognition": ("recognition", "grounds_needed"),
}
"""Test to the row that holds its limit."""


def _is_met(step: ReadStep, check: Mapping[str, Any], done: Replayed) -> bool:
    """One comparison, its figure as the step upstream has it and the limit as the cited row has it."""
    test, figure = step.indicator, check.get("figure")
    if test in ("percentile", "group_percentile"):
        key = f"{step.key.partition('/classification')[0]}/percentile/{check.get('student_group', ALL_STUDENTS)}"
        own = done.outcomes.get(key, {}).get("percentile")
        _agree(done, step.key, f"figure of {key}", own, figure)
        met = own is not None and own <= int(step.cited[LIMITS[test]])
    elif test in ("graduation_rate", "participation"):
        done.lacking[f"classification/{test}", "n and the step or row that the figure comes from"] += 1
        met = figure is not None and Decimal(figure) < Decimal(step.cited[LIMITS[test]])
    elif test == "insufficient_data":
        if check["subject"] == "progress":
            _agree(done, step.key, "figure of progress", _target_percentage(step, done), figure)
        met = figure is None
    elif test == "progress":
        own = _target_percentage(step, done)
        _agree(done, step.key, "figure of progress", own, figure)
        bands = (tuple(map(int, band.split("-"))) for band in step.cites("progress_band").values())
        met = own is not None and any(low <= own <= high for low, high in bands)
    elif test == "recognition":
        met = len(check["subject"].split()) >= int(step.cited[LIMITS[test]])
    else:
        met = ("designation_reason", figure) in step.cited
    if test in LIMITS and "threshold" in check:
        limit = step.cited[LIMITS[test]]
        _agree(
            done, step.key, f"threshold against {' '.join(LIMITS[test])}", Decimal(check["threshold"]), Decimal(limit)
        )
    _agree(done, step.key, f"check {check.get('student_group', '')} met", met, check["met"])
    return met


def _target_percentage(step: ReadStep, done: Replayed) -> int | None:
    """The cumulative percentage where there is one, else the annual."""
    found = {key.split("/")[2]: _progress(done, key) for key in step.upstream}
    cumulative = found.get("cumulative")
    return found.get("annual") if cumulative is None else cumulative


def _decision(
    step: ReadStep, steps: Mapping[str, ReadStep], words: Mapping[tuple[str, str], str], done: Replayed
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Reason by the precedence cited, from the grounds upstream; what was found out beside it."""
    grounds = {steps[key].indicator: steps[key] for key in step.upstream}
    met = [test for test, ground in grounds.items() if done.outcomes[ground.key]["met"]]
    _agree(done, step.key, "inputs met", met, step.inputs["met"])
    year = step.key.partition("/")[0]
    found: dict[str, list[str]] = {}
    for test in ("group_percentile", "participation"):
        checks = grounds[test].inputs["checks"] if test in grounds else []
        found[test] = list(dict.fromkeys(check["student_group"] for check in checks if check["met"]))
    annual, cumulative = (_progress(done, f"{year}/{step.org_code}/{kind}/{ALL_STUDENTS}") for kind in PROGRESS)
    bands = list(grounds["progress"].cites("progress_band")) if "progress" in grounds else []
    band = bands[0] if bands else None
    if band and ("reason_word", band) not in step.cited:
        done.lacking["classification", "reason_word of the target percentage where another reason decided"] += 1
    progress = words.get(("reason_word", band), step.inputs["progress"]) if band else None
    _agree(done, step.key, "inputs progress", progress, step.inputs["progress"])
    cells = {
        "percentile": done.outcomes.get(f"{year}/{step.org_code}/percentile/{ALL_STUDENTS}", {}).get("percentile"),
        "annual": annual,
        "cumulative": cumulative,
        "progress": progress,
        "grounds_met": met,
        "designations": step.inputs["designations"],
        "status": step.status,
    }
    lists = {"low_performing_groups": found["group_percentile"], "low_participation_groups": found["participation"]}
    if ("classification", "precedence") not in step.cited:
        nothing = dict.fromkeys(("overall_classification", "reason", "decided_by"))
        return {**nothing, **lists, "recognition": []}, cells
    of_designation = (
        list(grounds["designation"].cites("designation_reason").values()) if "designation" in grounds else []
    )
    stages = {
        "designation": of_designation[0] if of_designation else None,
        "assistance_grounds": "focused_targeted" if set(met) & REQUIRING else None,
        "insufficient_data": "insufficient_data" if "insufficient_data" in met else None,
        "progress": "recognition" if "recognition" in met else band,
    }
    stage = next(s for s in step.cited["classification", "precedence"].split() if stages[s])
    overall = "requiring" if stage in ("designation", "assistance_grounds") else "not_requiring"
    recognised = step.outcome["recognition"] if stages[stage] == "recognition" else []
    if recognised:
        done.lacking["classification", "recognition_label rows of the grounds of recognition"] += 1
    decided = {
        "overall_classification": step.cited.get(("overall_word", stage if stage == "insufficient_data" else overall)),
        "reason": step.cited.get(("reason_word", str(stages[stage]))),
        "decided_by": stage,
        **lists,
        "recognition": recognised,
    }
    return decided, cells
