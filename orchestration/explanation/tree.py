"""The explanation of one organisation as a tree: category, grounds, percentages, points, figures, deliveries.

Belongs here: what stands below what. Does not: wording (`sentences`) and form (`text`, `page`).
"""

from __future__ import annotations

from typing import Any

from orchestration.errors import InputError
from orchestration.explanation.leaves import ALL_STUDENTS, below_test, ranked, rules_of, values_of
from orchestration.explanation.leaves import figure as figure_of
from orchestration.explanation.node import Node
from orchestration.explanation.reading import Dossier, Row
from orchestration.explanation.sentences import words
from orchestration.explanation.spelling import spoken
from orchestration.explanation.thresholds import Nearest, nearest

EXPLANATION_VERSION = 3
ROOTS = ("classification", "federal", "correction")
"""Kinds of steps that end a chain; everything else is found below them."""
ASKED = ("cumulative", "percentile")
"""Kinds of steps that a student group comes to."""


def explanation(
    dossier: Dossier, indicator: str | None = None, group: str | None = None, *, is_whole: bool = True
) -> Node:
    """The tree of an organisation, or of its steps on one indicator and student group only.

    `is_whole`: with all that stands below student groups that decide no category, which is most of it. Raises
    InputError when the release does not know the organisation, or has no such step.
    """
    organisation, steps = dossier.organisation, dossier.steps
    root = Node(
        "organisation",
        f"{dossier.release.year}/{dossier.org_code}",
        f"{organisation['org_name']} ({dossier.org_code}), {dossier.release.year}",
        _category(dossier),
    )
    grown = _Tree(dossier, is_whole=is_whole)
    if indicator or group:
        root.children = [grown.node(key) for key in _asked(dossier, indicator, group)]
        return root
    below = {up for step in steps.values() for up in step["upstream"]}
    ends = [key for key, step in steps.items() if key not in below]
    others = [key for key in ends if steps[key]["kind"] in ASKED]
    own = [key for key in others if steps[key]["student_group"] == ALL_STUDENTS]  # of a district judged as its school
    root.children = [grown.node(key) for key in ends if steps[key]["kind"] in ROOTS or key in own]
    root.children += [
        Node("thresholds", "", *_nearest_head(found), lines=found.lines) for found in nearest(steps.values())
    ]
    if is_whole and (others := [key for key in others if key not in own]):
        figure = f"{len(others)} more than decide the category"
        node = Node("student_groups", "", "percentiles and percentages of student groups", figure)
        node.children = [grown.folded(key) for key in others]
        root.children.append(node)
    return root


def document(dossier: Dossier, *, tree: Node | None = None, records: Row | None = None) -> dict[str, Any]:
    """A tree, or the records behind a figure, as one JSON-ready object; schema in docs/explanation.schema.json."""
    release = dossier.release
    return {
        "explanation_version": EXPLANATION_VERSION,
        "release": f"{release.year}/{release.name}",
        "manifest_sha256": release.sha256,
        "org_code": dossier.org_code,
        **({"tree": tree.document()} if tree else {}),
        **({"records": records} if records else {}),
    }


def _category(dossier: Dossier) -> str:
    row = dossier.determination
    if row is None:
        return "no determination in this year"
    return f"{row['overall_classification'] or spoken(row['status'])} / {row['reason'] or 'none'}"


def _asked(dossier: Dossier, indicator: str | None, group: str | None) -> list[str]:
    """Keys of the steps that answer a narrowed question: the points of an indicator, or what a group comes to.

    A group without percentages of its own (the lowest performing) comes to its columns. Raises InputError.
    """
    steps = dossier.steps
    of_group = {key: step for key, step in steps.items() if group in (None, step["student_group"])}
    ways: tuple[tuple[str, ...], ...] = (("points",),) if indicator else (ASKED, ("column",))
    for kinds in ways:
        found = [
            key for key, s in of_group.items() if s["kind"] in kinds and (not indicator or s["indicator"] == indicator)
        ]
        if found:
            return found
    asked = " ".join(f"--{name} {word}" for name, word in (("indicator", indicator), ("group", group)) if word)
    points = [step for step in steps.values() if step["kind"] == "points"]
    known = ", ".join(sorted({step["indicator"] for step in points}))
    groups = ", ".join(sorted({step["student_group"] for step in points}))
    there = f"indicators: {known}; groups: {groups}" if points else "the release has no points of it"
    raise InputError(f"{asked}: {dossier.org_code} has no such step; {there}")


def _nearest_head(found: Nearest) -> tuple[str, str]:
    """Title and figure of a list of thresholds."""
    what = "reached" if found.is_reached else "not reached"
    shown = f"{len(found.lines)} of {found.count}"
    return f"nearest thresholds {what}, in {found.unit}", shown


class _Tree:
    """Nodes of one explanation; what was told once is only named afterwards."""

    def __init__(self, dossier: Dossier, *, is_whole: bool) -> None:
        self._dossier, self._is_whole = dossier, is_whole
        own = dossier.steps
        self._steps = own | dossier.elsewhere({up for s in own.values() for up in s["upstream"] if up not in own})
        self._told: set[str] = set()
        self._points: dict[tuple[str, str], list[str]] = {}
        for key, step in own.items():
            if step["kind"] == "points":
                self._points.setdefault((step["gradespan"], step["student_group"]), []).append(key)

    def node(self, key: str) -> Node:
        """A step with everything below it."""
        step, dossier = self._steps.get(key), self._dossier
        if step is None:
            return Node("missing", key, key, "not in the trace", "missing_source")
        title, figure, lines = words(step)
        node = Node(step["kind"], key, title, figure, step["status"], lines, values=values_of(step))
        if key in self._told:
            node.lines = ("explained above",)
            return node
        self._told.add(key)
        node.rules = rules_of(step["parameters"], dossier)
        if step["upstream"] and step["org_code"] != dossier.org_code:
            node.lines = (*lines, f"explained at {step['org_code']}")
            return node
        node.children = [self._below(step, up) for up in self._upstream(step)]
        if step["kind"] == "points":
            node.children += figure_of(
                (step["gradespan"], step["student_group"], step["indicator"]), dossier, self._told
            )
        elif step["kind"] == "percentile":
            node.children += ranked(step, dossier, self._told)
        elif step["kind"] == "classification":
            node.children += below_test(step, dossier, self._told)
        return node

    def folded(self, key: str) -> Node:
        """A step that a form may leave out what stands below, since it decides nothing.

        A digest that was told there only (its key has no path) is told again where everybody sees it.
        """
        before = set(self._told)
        node = self.node(key)
        hint = f"explain --group {self._steps[key]['student_group']} shows what stands below"
        if self._is_whole:
            node.folded = hint
            self._told -= {told for told in self._told - before if "/" not in told}
        elif node.children:
            node.children, node.lines = [], (*node.lines, hint)
            self._told = before
        return node

    def _below(self, step: Row, key: str) -> Node:
        """A step below another; the groups that did not meet a test are folded."""
        met = {check.get("student_group") for check in step["inputs"].get("checks", []) if check["met"]}
        up = self._steps.get(key)
        is_other = up and up["kind"] == "percentile" and up["student_group"] not in (ALL_STUDENTS, *met)
        return self.folded(key) if is_other else self.node(key)

    def _upstream(self, step: Row) -> list[str]:
        """Tests that were met come first; below a column also the indicators that have no points, last."""
        keys: list[str] = sorted(step["upstream"], key=lambda key: not self._is_met(key))
        if step["kind"] == "column":
            keys += [k for k in self._points.get((step["gradespan"], step["student_group"]), []) if k not in keys]
        return keys

    def _is_met(self, key: str) -> bool:
        """Whether a test was met; any other step keeps its place."""
        return bool(self._steps[key]["outcome"].get("met", True)) if key in self._steps else True
