"""One step of the trace in words: a title, its figure, and the arithmetic as it was done.

Belongs here: how a kind of step reads. Does not: which steps stand below which (`tree`), and no computing: every number
printed stands in the step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from orchestration.explanation.spelling import NONE, Row, number, place_of, spoken
from orchestration.explanation.thresholds import check_line, checks_of


class Words(NamedTuple):
    """Title, figure as printed, and lines of arithmetic."""

    title: str
    figure: str
    lines: tuple[str, ...] = ()


def words(step: Row) -> Words:
    """The step in words; a kind without a sentence of its own is shown with all that it holds."""
    return _KINDS.get(step["kind"], _plain)(step)


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
    lines = tuple(check_line(step, check) for check in checks_of(step))
    return Words(f"test: {spoken(step['indicator'])}", "met" if step["outcome"]["met"] else "not met", lines)


def _percentage(step: Row) -> Words:
    return Words(f"{step['kind']} percentage: {place_of(step)}", _shown(step), (_percentage_line(step),))


def _shown(step: Row) -> str:
    outcome = step["outcome"]
    return f"{number(outcome.get('shown'))} percent" if outcome.get("shown") is not None else spoken(step["status"])


def _percentage_line(step: Row) -> str:
    return {"cumulative": _cumulative_line, "gradespan": _gradespan_line, "annual": _annual_line}[step["kind"]](step)


def _cumulative_line(step: Row) -> str:
    current, prior = step["inputs"].get("current"), step["inputs"].get("prior")
    kept, parameters = step["outcome"].get("kept"), _parameters(step)
    if current is None:
        return "no annual percentage this year" + ("" if prior is None else f"; that of the year before was {prior}")
    if kept is None:
        return f"no prior year, and {current} does not stand alone"
    if prior is None:
        return f"no prior year: {current} alone → {kept}"
    return f"{prior} x {parameters['prior_weight']} % + {current} x {parameters['current_weight']} % → {kept}"


def _gradespan_line(step: Row) -> str:
    own, lowest = step["inputs"].get("all"), step["inputs"].get("lowest")
    kept, parameters = step["outcome"].get("kept"), _parameters(step)
    if own is None:
        return "its column has no percentage" + ("" if lowest is None else f"; lowest performing {lowest} is not used")
    if lowest is None:
        return f"{own} alone → {kept}"
    return f"{own} x {parameters['all']} % + lowest performing {lowest} x {parameters['lowest']} % → {kept}"


def _annual_line(step: Row) -> str:
    inputs, kept = step["inputs"], step["outcome"].get("kept")
    weights = inputs.get("weights", {})
    spans = {span: value for span, value in inputs.items() if span != "weights"}
    if not spans:
        return "no gradespan has a percentage"
    if len(spans) == 1:
        return f"{''.join(f'{spoken(span)} {value}' for span, value in spans.items())} alone → {kept}"
    if not weights or kept is None:
        return f"{', '.join(f'{spoken(span)} {value}' for span, value in spans.items())}: nothing to weigh them by"
    parts = " + ".join(f"{spoken(span)} {value} x {weights[span]}" for span, value in spans.items())
    return f"({parts}) / ({' + '.join(str(weights[span]) for span in spans)}) → {kept}"


def _parameters(step: Row) -> dict[str, str]:
    return {row["parameter"]: row["value"] for row in step["parameters"]}


def _column(step: Row) -> Words:
    inputs, outcome = step["inputs"], step["outcome"]
    title = f"column: {place_of(step)}"
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
    title = f"points: {place_of(step)}"
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
        return Words(f"target: {place_of(step)}", number(outcome["target"]), (source,))
    line = f"{source}: baseline {number(inputs.get('baseline'))}, step {number(inputs['step'])}"
    return Words(
        f"target: {place_of(step)}", number(outcome["target"]), (line, f"next year: {number(outcome['next_target'])}")
    )


def _comparison(step: Row) -> Words:
    values = ", ".join(f"{rank}th percentile {value}" for rank, value in step["outcome"].items())
    count = step["inputs"].get("organisations")
    return Words(f"statewide values: {place_of(step)}", values, (f"over {count} organisations",))


def _percentile(step: Row) -> Words:
    inputs, value = step["inputs"], step["outcome"]["percentile"]
    title = f"percentile: {place_of(step)}"
    if value is None:
        return Words(title, spoken(step["status"]))
    lines = [
        f"score {number(inputs['score'])} among {inputs['ranked']} in the set {spoken(inputs['comparison_set'])}: "
        f"{inputs['below']} below, {inputs['ties']} with the same score (this one among them) → {value}"
    ]
    shares = [f"{year} {number(found['score'])} x {found['weight']}" for year, found in inputs["years"].items()]
    lines.append(f"score: mean of the years' scores by their weights: {', '.join(shares)}")
    if (alone := step["outcome"].get("alone")) is not None:
        lines.append(f"as a school of its own among the schools of the set: {alone}")
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
    return Words(f"{spoken(step['kind'])}: {place_of(step)}", outcome, lines)


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
