"""An explanation of every organisation: its figures are those of the tables, and each chain goes down to deliveries."""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.errors import InputError
from orchestration.explanation.node import Node
from orchestration.explanation.page import page
from orchestration.explanation.reading import Library
from orchestration.explanation.text import text
from orchestration.explanation.tree import document, explanation
from orchestration.pages.building import build_pages
from orchestration.releases import Release, find
from orchestration.settings import PROJECT
from tests.support.published_state import BEFORE, NAME, YEAR, two_years
from tests.support.withheld import withheld_cells

Row = dict[str, Any]
PLACE = ("gradespan", "student_group", "indicator")


@dataclass(frozen=True)
class State:
    """A release, its tables by organisation, and the whole explanation of each organisation."""

    release: Release
    trees: dict[str, Node]
    documents: dict[str, Row]

    def rows(self, table: str) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = defaultdict(list)
        for row in pq.read_table(self.release.folder / f"{table}.parquet").to_pylist():
            found[row["org_code"]].append(row)
        return found

    def nodes(self, code: str, kind: str) -> list[Row]:
        """Nodes of a kind as the JSON has them, whatever stands above them."""
        return [node for node in walk(self.documents[code]["tree"]) if node["kind"] == kind]


def walk(node: Row) -> Iterator[Row]:
    yield node
    for child in node["children"]:
        yield from walk(child)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> State:
    release = two_years(tmp_path_factory.mktemp("state"))
    library = Library(release)
    trees, documents = {}, {}
    for row in library.whole("organisations"):
        dossier = library.dossier(row["org_code"])
        trees[row["org_code"]] = tree = explanation(dossier)
        documents[row["org_code"]] = json.loads(json.dumps(document(dossier, tree=tree)))
    return State(release, trees, documents)


def exact(value: Any) -> Any:
    return value if value is None or isinstance(value, int) else str(value)


def place_of(row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in PLACE)


# --- Figures ---------------------------------------------------------------------------------------------------------


def test_every_figure_of_every_organisation_is_the_one_of_the_tables(state: State) -> None:
    """Keyed by place: value, counts, n, year and status; every row with points, a rank or a test is there."""
    columns = ("measure", "value", "numerator", "denominator", "n", "data_year")
    results, points = state.rows("indicator_results"), state.rows("indicator_points")
    compared = 0
    for code in state.trees:
        table = {place_of(row): row for row in results[code]}
        told = set()
        for node in state.nodes(code, "figure"):
            place = place_of(node["values"])
            row = table[place]
            assert node["values"] == {name: exact(row[name]) for name in (*PLACE, *columns)}, (code, place)
            assert node["status"] == row["status"]
            assert node["figure"] == (str(row["value"]) if row["value"] is not None else spelled(row["status"]))
            numbers = f"numerator {row['numerator']}, denominator {row['denominator']}, n {row['n']}; data of "
            assert node["lines"][0] == numbers + str(row["data_year"])
            told.add(place)
            compared += 1
        expected = {place_of(row) for row in points[code]} & set(table)
        assert told >= expected, (code, expected - told)
    assert compared > 3_000


def spelled(word: str) -> str:
    return word.replace("_", " ")


def test_points_targets_percentages_and_percentiles_are_those_of_the_tables(state: State) -> None:
    tables = {
        name: state.rows(name)
        for name in ("indicator_points", "indicator_targets", "target_percentages", "accountability_percentiles")
    }
    compared: dict[str, int] = defaultdict(int)
    for code in state.trees:
        points = {place_of(row): row for row in tables["indicator_points"][code]}
        for node in state.nodes(code, "points"):
            row, values = points[place_of(node["values"])], node["values"]
            assert (values["points"], values["rating"] or "-") == (row["points"], row["rating"]), node["key"]
            assert node["status"] == row["status"]
            compared["points"] += 1
        targets = {place_of(row): row for row in tables["indicator_targets"][code]}
        for node in state.nodes(code, "target"):
            assert node["values"]["target"] == exact(targets[place_of(node["values"])]["target"])
            compared["target"] += 1
        shares = {(r["stage"], r["gradespan"] or "", r["student_group"]): r for r in tables["target_percentages"][code]}
        for stage in ("column", "gradespan", "annual", "cumulative"):
            for node in state.nodes(code, stage):
                row = shares[stage, node["values"]["gradespan"], node["values"]["student_group"]]
                for name in ("kept", "shown"):
                    assert as_number(node["values"][name]) == row[name], node["key"]
                compared[stage] += 1
        percentiles = {row["student_group"]: row for row in tables["accountability_percentiles"][code]}
        for node in state.nodes(code, "percentile"):
            assert node["values"]["percentile"] == percentiles[node["values"]["student_group"]]["percentile"]
            compared["percentile"] += 1
    assert min(compared.values()) > 50, compared
    assert len(compared) == 7


def as_number(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def test_each_document_is_as_its_schema_says(state: State) -> None:
    schema = json.loads((PROJECT / "docs" / "explanation.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    for code, found in state.documents.items():
        assert next(validator.iter_errors(found), None) is None, code
    spoiled = json.loads(json.dumps(next(iter(state.documents.values()))))
    next(node for node in walk(spoiled["tree"]) if node["kind"] == "figure")["values"]["numerator"] = "12"
    assert next(validator.iter_errors(spoiled), None) is not None


LINE = re.compile(
    r": (?P<figure>[\d.]+), threshold (?P<threshold>[\d.]+) \((?P<met_where>[^)]+)\), "
    r"(?:exactly at it|(?P<size>[\d.]+) [a-z ]+ (?P<side>above|below) it): (?P<said>.+)"
)


def test_every_comparison_says_on_which_side_its_figure_is_and_fits_its_outcome(state: State) -> None:
    """Also in the lists of the nearest, whose order is that of the distances."""
    seen: set[tuple[str, str]] = set()
    for tree in state.trees.values():
        for _, node in tree.walk():
            found = [match for line in node.lines if (match := LINE.search(line))]
            if node.kind not in ("classification", "thresholds"):
                assert not found
                continue
            assert len(found) == sum(", threshold " in line for line in node.lines)
            for match in found:
                apart = Decimal(match["figure"]) - Decimal(match["threshold"])
                assert abs(apart) == Decimal(match["size"] or 0)
                assert match["side"] == (None if not apart else "above" if apart > 0 else "below")
                met = {
                    "met at it or below": apart <= 0,
                    "met below it": apart < 0,
                    "met at it or above": apart >= 0,
                    "where the next band begins": apart < 0,
                }[match["met_where"]]
                assert match["said"] in ({True: ("met", "band reached"), False: ("not met",)}[met]), match[0]
                seen.add((match["met_where"], match["said"]))
            if node.kind == "thresholds":
                sizes = [Decimal(match["size"] or 0) for match in found]
                assert sizes == sorted(sizes)
    assert {where for where, _ in seen} >= {"met at it or below", "met below it", "where the next band begins"}
    assert {("met at it or below", "met"), ("met at it or below", "not met")} <= seen


# --- Chains ----------------------------------------------------------------------------------------------------------


def test_a_percentile_has_every_rank_of_its_step_with_the_figure_that_was_ranked(state: State) -> None:
    """And the figures have their deliveries: a category decided by a percentile has its whole chain."""
    steps = {
        step["key"]: step
        for found in state.rows("determination_trace").values()
        for step in found
        if step["kind"] == "percentile" and step["status"] == "ok"
    }
    told = 0
    for code in state.trees:
        figures = {node["key"]: node for node in state.nodes(code, "figure") if node["children"]}
        for node in state.nodes(code, "percentile"):
            if node["key"] not in steps or node["lines"] == ["explained above"]:
                continue
            years = json.loads(steps[node["key"]]["inputs"])["years"]
            assert [child["values"]["school_year"] for child in node["children"]] == [int(year) for year in years]
            for child, (year, found) in zip(node["children"], years.items(), strict=True):
                assert (child["values"]["score"], child["values"]["weight"]) == (found["score"], found["weight"])
                ranks = {(n["values"]["gradespan"], n["values"]["indicator"]): n for n in child["children"]}
                assert {place: n["values"]["rank"] for place, n in ranks.items()} == {
                    (span, indicator): rank for span, of in found["ranks"].items() for indicator, rank in of.items()
                }
                for rank in ranks.values():
                    assert [n["kind"] for n in rank["children"]] == (["figure"] if int(year) == YEAR else [])
                    assert all(n["key"] in figures for n in rank["children"])
                if int(year) == BEFORE:
                    assert f"its figures stand in the release of {BEFORE}, {NAME}" in child["lines"]
                told += len(ranks)
    assert told > 500


def test_a_graduation_rate_under_test_has_its_counts(state: State) -> None:
    found = 0
    for code in state.trees:
        for node in state.nodes(code, "classification"):
            if node["key"].endswith("/graduation_rate") and ", threshold " in node["lines"][0]:
                [figure] = node["children"]
                assert node["lines"][0].startswith(f"all students: {figure['figure']}, threshold ")
                assert figure["values"]["numerator"] <= figure["values"]["denominator"]
                found += 1
    assert found > 5


def test_every_rate_of_a_participation_test_has_its_counts_met_or_not(state: State) -> None:
    table = state.rows("participation_results")
    columns = ("rate", "tested", "should_test", "two_year_rate", "two_year_tested", "two_year_should_test")
    met = unmet = 0
    for code in state.trees:
        rows = {(r["gradespan"], r["student_group"], r["subject"]): r for r in table[code]}
        for node in state.nodes(code, "classification"):
            if not node["key"].endswith("/participation"):
                continue
            told = {
                tuple(n["values"][p] for p in ("gradespan", "student_group", "subject")): n for n in node["children"]
            }
            checked = {line.split(":")[0] for line in node["lines"]}
            assert {f"{spelled(group)}, {subject}" for _, group, subject in told} == checked
            for place, child in told.items():
                assert [child["values"][name] for name in columns] == [rows[place][name] for name in columns]
                assert child["children"], "it has its deliveries"
            met += node["figure"] == "met"
            unmet += node["figure"] == "not met"
    assert unmet > 5


def test_a_figure_names_the_policy_rows_that_counted_it(state: State) -> None:
    """Those in force in its year, with citation and standing, as the release keeps them."""
    with (state.release.folder / "policy.csv").open(newline="") as file:
        kept = {
            tuple(row[name] for name in ("policy_year", "rule_id", "parameter")): row for row in csv.DictReader(file)
        }
    named: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for code in state.trees:
        for node in [n for kind in ("figure", "participation") for n in state.nodes(code, kind)]:
            for rule in node["rules"]:
                row = kept[rule["policy_year"], rule["rule"], rule["parameter"]]
                assert (rule["value"], rule["status"]) == (row["value"], row["status"])
                assert rule["policy_year"] in (str(YEAR), "every")
                assert rule["citation"]
                values = node["values"]
                what = values.get("indicator", f"{values.get('subject')}_participation")
                named[f"{values['gradespan']} {values['student_group']} {what}"].add((rule["rule"], rule["parameter"]))
    assert ("tested_grades", "ela_non_high") in named["non_high all_students ela_achievement"]
    assert ("record_first_year_el", "math_growth") in named["high all_students math_growth"]
    assert ("minimum_n", "growth") in named["high all_students math_growth"]
    assert ("chronic_absenteeism", "absent_share") in named["non_high all_students chronic_absenteeism"]
    assert ("lowest_performing", "share") in named["non_high lowest_performing ela_achievement"]
    assert ("indicator_grades", "annual_dropout_high") in named["high all_students annual_dropout"]
    assert ("participation_status", "T") in named["high all_students ela_participation"]
    assert all(named.values())


def test_a_digest_of_each_delivery_is_printed_where_nothing_is_folded(state: State) -> None:
    """What only a folded part tells is told again: every delivery that is named is named with its sha256 before."""
    digests = {entry["file"]: entry["sha256"] for entry in state.release.manifest["inputs"]}
    for code, tree in state.trees.items():
        known: set[str] = set()
        for line in text(tree):
            if line.strip().startswith("sha256 "):
                known.add(line.split()[1])
            if "deliveries as above: " in line:
                for file in line.split("deliveries as above: ")[1].split(", "):
                    assert digests[file] in known, (code, line)


def test_the_text_is_folded_and_a_narrowed_question_opens_it(state: State) -> None:
    library = Library(state.release)
    code = max(state.trees, key=lambda code: len(list(text(state.trees[code]))))
    groups = {row["student_group"] for row in state.rows("target_percentages")[code] if row["stage"] == "cumulative"}
    whole = "\n".join(text(state.trees[code]))
    for group in sorted(groups - {"all_students"}):
        assert f"explain --group {group} shows what stands below" in whole
        opened = "\n".join(text(explanation(library.dossier(code), group=group)))
        assert "shows what stands below" not in opened
    assert "figure: " in opened
    lowest = explanation(library.dossier(code), group="lowest_performing")
    assert {node.kind for node in lowest.children} == {"column"}
    assert len(list(text(state.trees[code]))) < 1_500


def test_no_arithmetic_is_printed_with_parts_that_are_not_there(state: State) -> None:
    for code, tree in state.trees.items():
        printed = "\n".join(text(tree))
        for word in ("None", "none x", "x none", "none alone", "= none", "→ none", "Traceback"):
            assert word not in printed, (code, word)


def test_the_page_has_every_line_of_the_tree(state: State) -> None:
    for code, tree in list(state.trees.items())[:5]:
        made = page(tree, "2025/x", "0" * 64)
        assert made.count("<details") == sum(1 for _ in tree.walk()) - 1, code


def test_no_withheld_percentile_is_in_a_cell_of_a_public_page(state: State, tmp_path: Path) -> None:
    """Here, not with the pages: this state has percentiles."""
    home = state.release.folder.parents[2]
    looked = withheld_cells(
        state.release, build_pages(state.release, tmp_path / "site", home=home, is_public=True).folder
    )
    assert looked["accountability_percentiles", "percentile"] > 10
    assert looked["target_percentages", "shown"] > 100


# --- Asking ----------------------------------------------------------------------------------------------------------


def test_an_unknown_step_is_named_as_it_was_asked(state: State) -> None:
    dossier = Library(state.release).dossier("00000000")
    with pytest.raises(InputError) as raised:
        explanation(dossier, group="shoes")
    assert str(raised.value).startswith("--group shoes: 00000000 has no such step; indicators: ")
    with pytest.raises(InputError, match="--indicator shoes --group all_students: "):
        explanation(dossier, "shoes", "all_students")


def test_a_release_of_another_year_is_refused(state: State) -> None:
    home = state.release.folder.parents[2]
    assert find(home, f"{BEFORE}/{NAME}", BEFORE).year == BEFORE
    words = ["explain", "--year", str(YEAR), "--org", "00000000", "--home", str(home)]
    done = CliRunner().invoke(app, [*words, "--release", f"{BEFORE}/{NAME}"])
    assert isinstance(done.exception, InputError)
    assert str(done.exception) == f"release '{BEFORE}/{NAME}': is of another year than --year {YEAR}"
    assert CliRunner().invoke(app, [*words, "--release", f"{YEAR}/{NAME}"]).exit_code == 0
