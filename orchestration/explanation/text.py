"""An explanation as an indented tree of plain lines, with the policy rows it applied in a numbered list below."""

from __future__ import annotations

from collections.abc import Iterator

from orchestration.explanation.sentences import spoken
from orchestration.explanation.tree import Node, Rule


def text(root: Node) -> Iterator[str]:
    """One line a node with its figure, its arithmetic below; then every policy row once."""
    numbers: dict[Rule, int] = {}
    for depth, node in root.walk():
        margin = "  " * depth
        cited = [numbers.setdefault(rule, len(numbers) + 1) for rule in node.rules]
        status = "" if node.status == "ok" else f"  ({spoken(node.status)})"
        yield f"{margin}{node.title}: {node.figure}{status}{_references(cited)}"
        for line in node.lines:
            yield f"{margin}    {line}"
    if numbers:
        yield ""
        yield "Policy rows applied:"
        for rule, number in numbers.items():
            yield f"  [{number}] {rule_line(rule)}"


def rule_line(rule: Rule) -> str:
    """A policy row with its standing and where it is written."""
    row = f"{rule.rule} {rule.parameter} = {rule.value} {rule.unit}, year {rule.policy_year}"
    return f"{row}, {rule.status}: {rule.citation}" + (f" <{rule.address}>" if rule.address else "")


def _references(numbers: list[int]) -> str:
    """`[3-5, 9]`"""
    if not numbers:
        return ""
    spans: list[list[int]] = []
    for number in sorted(set(numbers)):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return f"  [{', '.join(str(a) if a == b else f'{a}-{b}' for a, b in spans)}]"
