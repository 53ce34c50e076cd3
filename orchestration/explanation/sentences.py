"""One step of the trace in words: a title, its figure, and the arithmetic as it was done.

Belongs here: how a kind of step reads. Does not: which steps stand below which (`tree`), and no computing: every number
printed stands in the step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

Row = Mapping[str, Any]
NONE = "none"


class Words(NamedTuple):
    """Title, figure as printed, and lines of arithmetic."""

    title: str
    figure: str
    lines: tuple[str, ...] = ()


def words(step: Row) -> Words:
    """The step in words; a kind without a sentence of its own is shown with all that it holds."""
    return _KINDS.get(step["kind"], _plain)(step)


def spoken(word: str | None) -> str:
    """`ela_achievement` as 'ela achievement'."""
    return (word or "").replace("_", " ")


def number(value: Any) -> str:
    """A figure as it stands in the step; an exact fraction with its value to two places beside it."""
    if value is None:
        return NONE
    if isinstance(value, str) and "/" in value:
        return f"{value} (≈ {float(Fraction(value)):.2f})"
    return str(value)


def _place(step: Row) -> str:
    parts = (step["gradespan"], step["student_group"], step["indicator"])
    return ", ".join(spoken(part) for part in parts if part)


def _classification(step: Row) -> Words:
    if step["indicator"]:
        return _ground(step)
    outcome = step["outcome"]
    figure = " / ".join(outcome[name] or NONE for name in ("overall_classification", "reason"))
    lines = [f"decided by: {spoken(outcome['decided_by'])}"]
    if school := step["inputs"].get("only_school"):
        lines.append(f"as its only school, {school}")
    else:
        lines.append(f"tests met: {', '.join(map(spoken, step['inputs']['met'])) or NONE}")
    lines += [
        f"{spoken(name)}: {', '.join(map(spoken, outcome[name]))}"
        for name in outcome
        if name.startswith("low_") and outcome[name]
    ]
    return Words("category and reason", figure, tuple(lines))


def _ground(step: Row) -> Words:
    checks = step["inputs"].get("checks", [])
    lines = tuple(check_line(check) for check in sorted(checks, key=lambda check: not check["met"]))
    return Words(f"test: {spoken(step['indicator'])}", "met" if step["outcome"]["met"] else "not met", lines)


def check_line(check: Row) -> str:
    """One comparison of a test: what, its figure, threshold and distance."""
    what = ", ".join(spoken(check[name]) for name in ("student_group", "subject") if check.get(name)) or "value"
    if check.get("figure") is None:
        return f"{what}: {spoken(check['status'])}"
    limit = f", threshold {check['threshold']}" if "threshold" in check else ""
    distance = str(check.get("distance", ""))
    away = f", {distance.lstrip('-')} {'past it' if distance.startswith('-') else 'away'}" if distance else ""
    return f"{what}: {check['figure']}{limit}{away}: {'met' if check['met'] else 'not met'}"


def _percentage(step: Row) -> Words:
    return Words(f"{step['kind']} percentage: {_place(step)}", _shown(step), (_percentage_line(step),))


def _shown(step: Row) -> str:
    outcome = step["outcome"]
    return f"{number(outcome.get('shown'))} percent" if outcome.get("shown") is not None else spoken(step["status"])


def _percentage_line(step: Row) -> str:
    inputs, kept = step["inputs"], step["outcome"].get("kept")
    parameters = {row["parameter"]: row["value"] for row in step["parameters"]}
    if step["kind"] == "cumulative":
        if inputs.get("prior") is None:
            return f"no prior year: {number(inputs.get('current'))} alone → {number(kept)}"
        before, now = parameters["prior_weight"], parameters["current_weight"]
        return f"{inputs['prior']} x {before} % + {inputs['current']} x {now} % = {number(kept)}"
    if step["kind"] == "gradespan":
        if inputs.get("lowest") is None or inputs.get("all") is None:
            return f"{number(inputs.get('all') or inputs.get('lowest'))} alone → {number(kept)}"
        return (
            f"{inputs['all']} x {parameters['all']} % + {inputs['lowest']} x {parameters['lowest']} % = {number(kept)}"
        )
    weights = inputs.get("weights", {})
    parts = [
        f"{spoken(k)} {inputs[k]}" + (f" x {weights[k]}" if k in weights else "") for k in inputs if k != "weights"
    ]
    total = f" / {sum(map(int, weights.values()))}" if weights else ""
    return f"{' + '.join(parts) or NONE}{total} → {number(kept)}"


def _column(step: Row) -> Words:
    inputs, outcome = step["inputs"], step["outcome"]
    title = f"column: {_place(step)}"
    if outcome.get("shown") is None:
        return Words(title, spoken(step["status"]))
    weights = {row["parameter"]: row["value"] for row in step["parameters"] if row["rule_id"] == step["rule_id"]}
    lines = []
    for category, (earned, possible) in inputs["totals"].items():
        weight = next((v for k, v in weights.items() if k.endswith(f"_{category}")), None)
        lines.append(f"{spoken(category)}: {earned} of {possible} points" + (f", weight {weight} %" if weight else ""))
    earned, possible = outcome["weighted_earned"], outcome["weighted_possible"]
    lines.append(f"weighted {earned} / {possible} = {outcome['kept']} → {outcome['shown']}")
    return Words(title, _shown(step), tuple(lines))


def _points(step: Row) -> Words:
    inputs, outcome = step["inputs"], step["outcome"]
    title = f"points: {_place(step)}"
    figure = (
        f"{outcome['points']} points, {outcome['rating']}"
        if outcome.get("points") is not None
        else spoken(step["status"])
    )
    line = (
        f"current {number(inputs['current'])} (n {inputs['n']}), prior {number(inputs['prior'])} "
        f"(n {number(inputs['prior_n'])}), target {number(inputs['target'])}"
    )
    route = (f"route: {spoken(outcome['route'])}",) if outcome.get("route") else ()
    beside = [f"{spoken(name)} {value}" for name, value in inputs["comparisons"].items()]
    return Words(title, figure, (line, *route, *((f"statewide values: {', '.join(beside)}",) if beside else ())))


def _target(step: Row) -> Words:
    inputs, outcome = step["inputs"], step["outcome"]
    source = f"{outcome['source']} target" + (f", {outcome['path']}" if outcome.get("path") else "")
    if "step" not in inputs:
        return Words(f"target: {_place(step)}", number(outcome["target"]), (source,))
    line = f"{source}: baseline {number(inputs.get('baseline'))}, step {number(inputs['step'])}"
    return Words(
        f"target: {_place(step)}", number(outcome["target"]), (line, f"next year: {number(outcome['next_target'])}")
    )


def _comparison(step: Row) -> Words:
    values = ", ".join(f"{rank}th percentile {value}" for rank, value in step["outcome"].items())
    count = step["inputs"].get("organisations")
    return Words(f"statewide values: {_place(step)}", values, (f"over {count} organisations",))


def _percentile(step: Row) -> Words:
    inputs, value = step["inputs"], step["outcome"]["percentile"]
    title = f"percentile: {_place(step)}"
    if value is None:
        return Words(title, spoken(step["status"]))
    lines = [
        f"score {number(inputs['score'])} among {inputs['ranked']} in the set {spoken(inputs['comparison_set'])}: "
        f"{inputs['below']} below, {inputs['ties']} with the same score (this one among them) → {value}"
    ]
    for year, found in inputs["years"].items():
        lines.append(f"{year}: score {number(found['score'])}, weight {found['weight']}")
        for span, ranks in found["ranks"].items():
            lines.append(
                f"{year} {spoken(span)} ranks: {', '.join(f'{spoken(k)} {number(v)}' for k, v in ranks.items())}"
            )
    return Words(title, str(value), tuple(lines))


def _federal(step: Row) -> Words:
    inputs, outcome = step["inputs"], step["outcome"]
    lines = [f"Title I status: {inputs['title_i']}", f"reasons: {', '.join(map(spoken, outcome['reasons'])) or NONE}"]
    return Words("federal designation", outcome["designation"], tuple(lines))


def _correction(step: Row) -> Words:
    inputs = step["inputs"]
    return Words(
        f"correction: {step['indicator']}",
        f"{inputs['old_value'] or 'empty'} → {inputs['new_value'] or 'empty'}",
        (
            f"decided by {inputs['decided_by']}: {inputs['reason']} ({inputs['citation']})",
            f"record: delivery {inputs['record_delivery'][:12]}, row {inputs['record_row']}",
        ),
    )


def _plain(step: Row) -> Words:
    outcome = ", ".join(f"{spoken(name)} {number(value)}" for name, value in step["outcome"].items())
    lines = tuple(f"{spoken(name)}: {number(value)}" for name, value in step["inputs"].items())
    return Words(f"{spoken(step['kind'])}: {_place(step)}", outcome, lines)


_KINDS: dict[str, Callable[[Row], Words]] = {
    "classification": _classification,
    "annual": _percentage,
    "cumulative": _percentage,
    "gradespan": _percentage,
    "column": _column,
    "points": _points,
    "target": _target,
    "comparison": _comparison,
    "percentile": _percentile,
    "federal": _federal,
    "correction": _correction,
}
