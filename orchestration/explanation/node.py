"""A line of an explanation with what stands below it, whatever form it is printed in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Rule:
    """A policy row that a step applied: value, standing and where it is written."""

    rule: str
    parameter: str
    value: str
    unit: str
    policy_year: str
    status: str
    citation: str
    address: str


@dataclass
class Node:
    """One line of the explanation. `kind` is the step's kind, or figure, participation, delivery, organisation, ...

    `values` are the figures of the line as the tables have them, by name; exact decimals as text. `folded` says how
    to see what stands below where a form leaves that out because it is long; no part of the document.
    """

    kind: str
    key: str
    title: str
    figure: str
    status: str = "ok"
    lines: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    children: list[Node] = field(default_factory=list)
    values: Mapping[str, Any] = field(default_factory=dict)
    folded: str = ""

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Node]]:
        """This node and all below it with their depth, in reading order."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)

    def document(self) -> dict[str, Any]:
        """The node as docs/explanation.schema.json describes it."""
        return {
            "kind": self.kind,
            "key": self.key,
            "title": self.title,
            "figure": self.figure,
            "status": self.status,
            "values": dict(self.values),
            "lines": list(self.lines),
            "rules": [asdict(rule) for rule in self.rules],
            "children": [child.document() for child in self.children],
        }
