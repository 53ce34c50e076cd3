"""The oracle of points and percentages against what the Department printed.

Belongs here: published reports and indicator rows. Does not: the room, which is held against the oracle in
test_points_agree.py and against the same reports in tests/rules.
"""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

from orchestration.determinations.reading import Inputs
from orchestration.settings import PROJECT
from tests.oracle.percentages_oracle import column_share, gradespan_share, kept_share
from tests.oracle.points_oracle import ALL, LOWEST, SPANS, Book, Points, Year, earned_points
from tests.oracle.policy_reader import PROJECT_POLICY

FOLDER = PROJECT.parent / "shared" / "oracle"


@cache
def published(name: str) -> dict[str, Any]:
    file = FOLDER / name
    if not file.is_file():
        pytest.fail(f"{file} is missing: without it the oracle is held against nothing")
    found: dict[str, Any] = json.loads(file.read_text(), parse_float=Decimal)
    return found


def test_the_oracle_reproduces_every_printed_column_gradespan_and_annual_figure() -> None:
    seen: Counter[str] = Counter()
    for report in published("published-reports.json")["reports"]:
        book, printed = Book(PROJECT_POLICY, report["year"]), report["printed"]
        columns = {}
        for name, points in report["points"].items():
            span, population = name.rsplit("_", 1)
            awards = {indicator: Points(earned, "", "", "ok") for indicator, earned in points.items()}
            columns[name] = share = column_share(book, span, LOWEST if population == "lowest" else ALL, awards)
            figures = {
                "weighted_earned": share.weighted_earned,
                "weighted_possible": share.weighted_possible,
                "pct_of_possible": share.shown,
            }
            for figure, value in figures.items():
                if (wanted := printed["columns"].get(name, {}).get(figure)) is not None:
                    assert value == wanted, (report["id"], name, figure)
                    seen[figure] += 1
        spans = {
            span: gradespan_share(book, columns[f"{span}_all"], columns.get(f"{span}_lowest"))
            for span in SPANS
            if f"{span}_all" in columns
        }
        for span, wanted in (printed["gradespan_pct"] or {}).items():
            if wanted is not None:
                assert spans[span].shown == wanted, (report["id"], span)
                seen["gradespan"] += 1
        weights = {span: Fraction((report["gradespan_weight_pct"] or {}).get(span) or 0) for span in spans}
        if len(spans) == 1:
            weights = dict.fromkeys(spans, Fraction(1))
        if printed["annual"] is not None and all(weights.values()):
            mean = sum(weights[span] * Fraction(share.kept or 0) for span, share in spans.items())
            annual = kept_share(book, Fraction(mean) / sum(weights.values()), "annual")
            assert annual.shown == printed["annual"], report["id"]
            seen["annual"] += 1
    assert seen["weighted_earned"] == seen["weighted_possible"] > 100
    assert seen["pct_of_possible"] >= 50
    assert seen["gradespan"] >= 20
    assert seen["annual"] >= 10


def test_the_oracle_gives_the_printed_points_of_published_indicator_rows() -> None:
    checked = 0
    for case in published("indicator-points.json")["cases"]:
        if case["kind"] != "indicator_points":
            continue
        row = case["inputs"]
        book = Book(PROJECT_POLICY, case["year"])
        group = next(group for group, label in book["group_label"].items() if label == row["group"])
        key = (row["org_code"], row["gradespan"], group, row["measure"])
        bars: dict[tuple[str, str, str, int], Decimal] = {}
        if case["id"] == "ind-2023-07050505-math-all":  # short of its target: the 80th percentile, not published
            bars[row["gradespan"], ALL, row["measure"], 80] = Decimal(str(row["current"]))
        measure = book["achievement_measure"][f"{row['measure'].split('_')[0]}_{row['gradespan']}"]
        figures = (Decimal(str(row[name])) for name in ("current", "prior", "target"))
        year = Year(Inputs(case["year"], (), (), {}), book)
        earned = earned_points(year, key, measure, *figures, ("absolute", "comparison", "target", "change"), bars)
        assert earned == case["expected"]["points"], case["id"]
        assert case["expected"]["reason"].split(": ")[-1] == book["rating_target"][str(earned)]
        checked += 1
    assert checked >= 16
