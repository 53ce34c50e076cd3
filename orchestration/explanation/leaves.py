"""What an explanation ends in: ranked indicators, figures with their counts, participation, deliveries.

Belongs here: the lines that stand in tables of the release, or inside a step, and are no step themselves. Does not:
steps (`tree`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orchestration.explanation.counting import counting_rows
from orchestration.explanation.node import Node, Rule
from orchestration.explanation.reading import Dossier, Row
from orchestration.explanation.spelling import NONE, number, place_of, spoken
from orchestration.explanation.thresholds import checks_of

ALL_STUDENTS = "all_students"
GRADUATION = "four_year_graduation"
"""The indicator whose figure the test of the graduation rate takes."""
ALL_SUBJECTS = "all"
"""Subject of a participation rate where the policy combines the subjects."""
PLACE = ("gradespan", "student_group", "indicator")
POINTS = ("current", "n", "prior", "prior_n", "target")
FIGURE = ("measure", "value", "numerator", "denominator", "n", "data_year")
PARTICIPATION = ("rate", "tested", "should_test", "two_year_rate", "two_year_tested", "two_year_should_test")


def values_of(step: Row) -> Row:
    """The figures of a step's line by name, as far as it has any that stand in a table."""
    place = {name: step[name] for name in PLACE}
    if step["kind"] == "points":
        outcome = step["outcome"]
        return (
            place
            | {name: _exact(step["inputs"].get(name)) for name in POINTS}
            | {"points": outcome.get("points"), "rating": outcome.get("rating")}
        )
    if step["kind"] == "target":
        return place | {"target": _exact(step["outcome"].get("target"))}
    if step["kind"] == "percentile":
        return {"student_group": step["student_group"], "percentile": step["outcome"].get("percentile")}
    if step["kind"] in ("column", "gradespan", "annual", "cumulative"):
        shares = {name: _exact(step["outcome"].get(name)) for name in ("kept", "shown")}
        return {name: step[name] for name in PLACE[:2]} | shares
    return {}


def figure(place: tuple[str, str, str], dossier: Dossier, told: set[str]) -> list[Node]:
    """The figure of an indicator, and the deliveries below it; nothing where the tables have none."""
    row = dossier.figures.get(place)
    if row is None:
        return []
    node = Node(
        "figure",
        f"{row['school_year']}/{dossier.org_code}/figure/{'/'.join(place)}",
        f"figure: {place_of(row)}",
        str(row["value"]) if row["value"] is not None else spoken(row["status"]),
        row["status"],
        (f"numerator {row['numerator']}, denominator {row['denominator']}, n {row['n']}; data of {row['data_year']}",),
        values={name: row[name] for name in PLACE} | {name: _exact(row[name]) for name in FIGURE},
    )
    if node.key in told:
        node.lines = (*node.lines, "its deliveries stand above")
        return [node]
    told.add(node.key)
    counted = f"how it is counted: dbt_project/models/indicators/rules, measure {spoken(row['measure'])}"
    node.lines = (*node.lines, counted, *((row["note"],) if row["note"] else ()))
    node.rules = rules_of(counting_rows(dossier.policy, row, row["indicator"]), dossier)
    node.children = _deliveries(row["indicator"], row["data_year"], dossier, told)
    return [node]


def ranked(step: Row, dossier: Dossier, told: set[str]) -> Iterator[Node]:
    """Each year of a percentile: its score from means of categories, and the rank of each indicator.

    The figures of the year itself stand below their ranks; those of earlier years in the releases of these years.
    """
    for year, found in step["inputs"].get("years", {}).items():
        node = Node(
            "year_score",
            f"{step['key']}/{year}",
            f"score of {year}: {spoken(step['student_group'])}",
            number(found["score"]),
            lines=(_score_line(step, found),),
            values={"school_year": int(year), "score": found["score"], "weight": found["weight"]},
        )
        is_now = int(year) == step["school_year"]
        for span, ranks in found["ranks"].items():
            for indicator, rank in ranks.items():
                place = (span, step["student_group"], indicator)
                named = dict(zip(PLACE, place, strict=True))
                below = figure(place, dossier, told) if is_now else []
                key = f"{node.key}/{span}/{indicator}"
                values = {"school_year": int(year), **named, "rank": rank}
                title = f"rank of {year}: {place_of(named)}"
                node.children.append(Node("rank", key, title, str(rank), values=values, children=below))
        if not is_now:
            name = dossier.manifest["earlier_releases"].get(f"release {year}", "").split(" ")[0]
            node.lines = (*node.lines, f"its figures stand in the release of {year}" + (f", {name}" if name else ""))
        yield node


def _score_line(step: Row, found: Row) -> str:
    """The means of the categories, with their weights where the step has those of the year's scheme."""
    ending = f"_{'with' if found['with_el'] else 'without'}_el_"
    weights = {row["parameter"].rpartition(ending)[2]: row["value"] for row in step["parameters"]}
    means = [
        f"{spoken(name)} {number(mean)}" + (f" x {weights[name]} %" if name in weights else "")
        for name, mean in found["categories"].items()
    ]
    return f"mean of the ranks of each category by its weight, {spoken(ending.strip('_'))}: {', '.join(means) or NONE}"


def below_test(step: Row, dossier: Dossier, told: set[str]) -> Iterator[Node]:
    """The figures that a test of a classification took from tables: the graduation rate, participation."""
    if step["rule_id"].startswith("graduation_rate"):
        for place in dossier.figures:
            if place[1:] == (ALL_STUDENTS, GRADUATION):
                yield from figure(place, dossier, told)
    elif step["rule_id"].startswith("participation"):
        yield from _participation(step, dossier, told)


def _participation(step: Row, dossier: Dossier, told: set[str]) -> Iterator[Node]:
    """What each rate of the test was counted from, in each gradespan; rates that met it first, then the nearest."""
    for check in checks_of(step):
        for (span, group, subject), row in dossier.participation.items():
            if group != check.get("student_group") or check.get("subject") not in (subject, ALL_SUBJECTS):
                continue
            rate = f"{row['rate']} percent" if row["rate"] is not None else spoken(row["status"])
            node = Node(
                "participation",
                f"{row['school_year']}/{dossier.org_code}/participation/{span}/{group}/{subject}",
                f"participation: {spoken(span)}, {spoken(group)}, {spoken(subject)}",
                f"{rate}, {_tested(row)}",
                row["status"],
                values={"gradespan": span, "student_group": group, "subject": subject}
                | {name: row[name] for name in PARTICIPATION},
            )
            node.rules = rules_of(counting_rows(dossier.policy, row, f"{subject}_participation"), dossier)
            node.children = _deliveries("participation", row["school_year"], dossier, told)
            yield node


def _tested(row: Row) -> str:
    line = f"tested {row['tested']} of {row['should_test']} who should have been"
    if row["two_year_should_test"] is None:
        return f"{line}; no earlier year"
    return f"{line}; with the year before {row['two_year_tested']} of {row['two_year_should_test']}"


def _deliveries(indicator: str, data_year: int, dossier: Dossier, told: set[str]) -> list[Node]:
    """The deliveries behind a figure; the digest of each stands where it is named first."""
    nodes = []
    for entry in dossier.deliveries(indicator, data_year):
        name = " ".join(str(entry[part]) for part in ("year", "collection", "part", "stage") if entry[part])
        lines = () if entry["sha256"] in told else (f"sha256 {entry['sha256']}",)
        told.add(entry["sha256"])
        nodes.append(Node("delivery", entry["sha256"], f"delivery: {name}", entry["file"], "ok", lines))
    return nodes


def _exact(value: object) -> object:
    """A decimal as text, so that no reader makes it a float; whole numbers stay numbers."""
    return value if value is None or isinstance(value, int) else str(value)


def rules_of(rows: Iterable[Row], dossier: Dossier) -> tuple[Rule, ...]:
    """Policy rows with the title and the address of where they are written."""
    found = []
    for row in rows:
        citation = dossier.citations.get(row["citation_id"], {"title": row["citation_id"], "address": ""})
        named = (row["rule_id"], row["parameter"], row["value"], row["unit"], row["policy_year"], row["status"])
        found.append(Rule(*named, citation["title"], citation["address"]))
    return tuple(found)
