"""The explanation of one organisation as a tree: category, grounds, percentages, points, figures, deliveries.

Belongs here: what stands below what. Does not: wording (`sentences`) and form (`text`, `page`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from orchestration.errors import InputError
from orchestration.explanation.reading import Dossier, Row
from orchestration.explanation.sentences import check_line, spoken, words

EXPLANATION_VERSION = 2
ROOTS = ("classification", "federal", "correction")
"""Kinds of steps that end a chain; everything else is found below them."""


NEAREST = 5
"""Thresholds shown in the list of the nearest."""


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
    """One line of the explanation. `kind` is the step's kind, or figure, participation, delivery, organisation."""

    kind: str
    key: str
    title: str
    figure: str
    status: str = "ok"
    lines: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    children: list[Node] = field(default_factory=list)

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Node]]:
        """This node and all below it with their depth, in reading order."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)


def explanation(dossier: Dossier, indicator: str | None = None, group: str | None = None) -> Node:
    """The tree of an organisation, or of its steps on one indicator and student group only.

    Raises InputError when the release does not know the organisation, or has no such step.
    """
    organisation, steps = dossier.organisation, dossier.steps
    root = Node(
        "organisation",
        f"{dossier.release.year}/{dossier.org_code}",
        f"{organisation['org_name']} ({dossier.org_code}), {dossier.release.year}",
        _category(dossier),
    )
    if indicator or group:
        keys = [key for key, step in steps.items() if _is_asked(step, indicator, group)]
        if not keys:
            known = sorted({s["indicator"] for s in steps.values() if s["kind"] == "points"})
            groups = sorted({s["student_group"] for s in steps.values() if s["kind"] == "points"})
            raise InputError(
                f"--indicator {indicator} --group {group}: {dossier.org_code} has no such step; "
                f"indicators: {', '.join(known)}; groups: {', '.join(groups)}"
            )
    else:
        below = {up for step in steps.values() for up in step["upstream"]}
        keys = [key for key, step in steps.items() if step["kind"] in ROOTS and key not in below]
    other = {up for step in steps.values() for up in step["upstream"] if up not in steps}
    known_steps = steps | dossier.elsewhere(other)
    told: set[str] = set()
    root.children = [_node(key, known_steps, dossier, told) for key in keys]
    if not (indicator or group) and (nearest := _nearest(steps)):
        root.children.append(nearest)
    return root


def document(dossier: Dossier, *, tree: Node | None = None, records: Row | None = None) -> dict[str, Any]:
    """A tree, or the records behind a figure, as one JSON-ready object; schema in docs/explanation.schema.json."""
    release = dossier.release
    return {
        "explanation_version": EXPLANATION_VERSION,
        "release": f"{release.year}/{release.name}",
        "manifest_sha256": release.sha256,
        "org_code": dossier.org_code,
        **({"tree": asdict(tree)} if tree else {}),
        **({"records": records} if records else {}),
    }


def _category(dossier: Dossier) -> str:
    row = dossier.determination
    if row is None:
        return "no determination in this year"
    return f"{row['overall_classification'] or spoken(row['status'])} / {row['reason'] or 'none'}"


def _is_asked(step: Row, indicator: str | None, group: str | None) -> bool:
    """Whether a step answers a narrowed question: the points of an indicator, or what a group comes to."""
    kinds = ("points",) if indicator else ("cumulative", "percentile")
    return (
        step["kind"] in kinds
        and (indicator is None or step["indicator"] == indicator)
        and (group is None or step["student_group"] == group)
    )


def _node(key: str, steps: dict[str, Row], dossier: Dossier, told: set[str]) -> Node:
    """A step with everything below it; what was told above is only named."""
    step = steps.get(key)
    if step is None:
        return Node("missing", key, key, "not in the trace", "missing_source")
    title, figure, lines = words(step)
    if key in told:
        return Node(step["kind"], key, title, figure, step["status"], ("explained above",))
    told.add(key)
    if step["upstream"] and step["org_code"] != dossier.org_code:
        lines = (*lines, f"explained at {step['org_code']}")
        return Node(step["kind"], key, title, figure, step["status"], lines, _rules(step, dossier))
    node = Node(step["kind"], key, title, figure, step["status"], lines, _rules(step, dossier))
    node.children = [
        _node(up, steps, dossier, told) for up in sorted(step["upstream"], key=lambda k: not _is_met(k, steps))
    ]
    if step["kind"] == "points":
        node.children += _figure(step, dossier, told)
    if step["kind"] == "classification" and step["rule_id"].startswith("participation"):
        node.children += _participation(step, dossier, told)
    return node


def _is_met(key: str, steps: dict[str, Row]) -> bool:
    """Tests that were met come first; every other step keeps its place."""
    return bool(steps[key]["outcome"].get("met", True)) if key in steps else True


def _nearest(steps: dict[str, Row]) -> Node | None:
    """The tests by how far the figure stands from the threshold: what would have to change, and by how much."""
    found = [
        (Decimal(str(check["distance"])), step["indicator"], check)
        for step in steps.values()
        if step["kind"] == "classification"
        for check in step["inputs"].get("checks", [])
        if check.get("distance") is not None
    ]
    if not found:
        return None
    nearest = sorted(found, key=lambda entry: entry[0])[:NEAREST]
    lines = tuple(f"{spoken(test)}: {check_line(check)}" for _, test, check in nearest)
    return Node("thresholds", "", "nearest thresholds", f"{len(nearest)} of {len(found)} tests", "ok", lines)


def _rules(step: Row, dossier: Dossier) -> tuple[Rule, ...]:
    found = []
    for row in step["parameters"]:
        citation = dossier.citations.get(row["citation_id"], {"title": row["citation_id"], "address": ""})
        named = (row["rule_id"], row["parameter"], row["value"], row["unit"], row["policy_year"], row["status"])
        found.append(Rule(*named, citation["title"], citation["address"]))
    return tuple(found)


def _figure(step: Row, dossier: Dossier, told: set[str]) -> list[Node]:
    """The indicator's figure below its points, and the deliveries below the figure."""
    row = dossier.figures.get((step["gradespan"], step["student_group"], step["indicator"]))
    if row is None:
        return []
    place = f"{step['gradespan']}/{step['student_group']}/{step['indicator']}"
    node = Node(
        "figure",
        f"{row['school_year']}/{dossier.org_code}/figure/{place}",
        f"figure: {spoken(step['indicator'])}",
        str(row["value"]) if row["value"] is not None else spoken(row["status"]),
        row["status"],
        (
            f"numerator {row['numerator']}, denominator {row['denominator']}, n {row['n']}; data of {row['data_year']}",
            f"how it is counted: dbt_project/models/indicators/rules, measure {spoken(row['measure'])}",
            *((row["note"],) if row["note"] else ()),
        ),
    )
    node.children = _deliveries(step["indicator"], row["data_year"], dossier, told)
    return [node]


def _participation(step: Row, dossier: Dossier, told: set[str]) -> list[Node]:
    """The rates that met the participation test, with what they were counted from."""
    met = {(c.get("student_group"), c.get("subject")) for c in step["inputs"].get("checks", []) if c["met"]}
    nodes = []
    for (span, group, subject), row in dossier.participation.items():
        if (group, subject) in met or (group, None) in met:
            node = Node(
                "participation",
                f"{row['school_year']}/{dossier.org_code}/participation/{span}/{group}/{subject}",
                f"participation: {spoken(span)}, {spoken(group)}, {spoken(subject)}",
                f"{row['rate']} percent" if row["rate"] is not None else spoken(row["status"]),
                row["status"],
                (
                    f"tested {row['tested']} of {row['should_test']} who should have been",
                    f"two years: {row['two_year_tested']} of {row['two_year_should_test']}",
                ),
            )
            node.children = _deliveries("participation", row["school_year"], dossier, told)
            nodes.append(node)
    return nodes


def _deliveries(indicator: str, data_year: int, dossier: Dossier, told: set[str]) -> list[Node]:
    """The deliveries behind a figure; the digest of each stands where it is named first."""
    nodes = []
    for entry in dossier.deliveries(indicator, data_year):
        name = " ".join(str(entry[part]) for part in ("year", "collection", "part", "stage") if entry[part])
        lines = () if entry["sha256"] in told else (f"sha256 {entry['sha256']}",)
        told.add(entry["sha256"])
        nodes.append(Node("delivery", entry["sha256"], f"delivery: {name}", entry["file"], "ok", lines))
    return nodes
