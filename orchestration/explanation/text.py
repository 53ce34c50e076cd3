"""An explanation as an indented tree of plain lines, with the policy rows it applied in a numbered list below."""

from __future__ import annotations

from collections.abc import Iterator

from orchestration.explanation.node import Node, Rule
from orchestration.explanation.spelling import spoken


def text(root: Node) -> Iterator[str]:
    """One line a node with its figure, its arithmetic below; then every policy row once."""
    numbers: dict[Rule, int] = {}
    yield from _lines(root, 0, numbers)
    if numbers:
        yield ""
        yield "Policy rows applied:"
        for rule, number in numbers.items():
            yield f"  [{number}] {rule_line(rule)}"


def _lines(node: Node, depth: int, numbers: dict[Rule, int]) -> Iterator[str]:
    margin = "  " * depth
    cited = [numbers.setdefault(rule, len(numbers) + 1) for rule in node.rules]
    status = "" if node.status == "ok" else f"  ({spoken(node.status)})"
    yield f"{margin}{node.title}: {node.figure}{status}{_references(cited)}"
    for line in node.lines:
        yield f"{margin}    {line}"
    if node.folded and node.children:
        yield f"{margin}    {node.folded}"
        return
    if node.children and all(child.kind == "delivery" and not child.lines for child in node.children):
        if node.kind != "participation":  # all rates of a test come from the same ones
            yield f"{margin}    deliveries as above: {', '.join(child.figure for child in node.children)}"
        return
    ranks = [child for child in node.children if child.kind == "rank" and not child.children]
    if ranks:  # of an earlier year, whose figures are in another release
        yield f"{margin}    ranks: {'; '.join(f'{_of(rank)} {rank.figure}' for rank in ranks)}"
    for child in node.children:
        if child not in ranks:
            yield from _lines(child, depth + 1, numbers)


def _of(rank: Node) -> str:
    return f"{spoken(rank.values['gradespan'])} {spoken(rank.values['indicator'])}"


def rule_line(rule: Rule) -> str:
    """A policy row with its standing and where it is written."""
    row = f"{rule.rule} {rule.parameter} = {rule.value} {rule.unit}, year {rule.policy_year}"
    return f"{row}, {rule.status}: {rule.citation}" + (f" <{rule.address}>" if rule.address else "")


def spans(numbers: list[int]) -> list[tuple[int, str]]:
    """Numbers of policy rows, those that follow each other as one: the first and how it is printed, `(3, "3-5")`."""
    found: list[list[int]] = []
    for number in sorted(set(numbers)):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return [(first, str(first) if first == last else f"{first}-{last}") for first, last in found]


def _references(numbers: list[int]) -> str:
    """`[3-5, 9]`"""
    return f"  [{', '.join(words for _, words in spans(numbers))}]" if numbers else ""
