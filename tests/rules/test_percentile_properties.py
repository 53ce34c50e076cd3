"""What holds of percentiles whatever the results are, and that a trace alone gives them again."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from orchestration.determinations.percentile_rules import percentile_rules
from orchestration.determinations.percentiles import IndicatorValue, Percentile, percentiles
from orchestration.determinations.trace import Step, parameter_text, value_text
from tests.support.determinations import REGISTER

RULES = percentile_rules(REGISTER, 2025)
SCHOOLS = {
    "A": frozenset({"non_high"}),
    "B": frozenset({"non_high"}),
    "C": frozenset({"non_high"}),
    "D": frozenset({"non_high"}),
    "K": frozenset({"non_high", "high"}),
    "L": frozenset({"non_high", "high"}),
}
INDICATORS = ("ela_achievement", "math_achievement", "ela_growth", "chronic_absenteeism", "el_progress")


@st.composite
def states(draw: st.DrawFn) -> list[IndicatorValue]:
    """Results of a few schools over three years, with ties, small groups and gaps."""
    rows = []
    for org, spans in SCHOOLS.items():
        for span in sorted(spans):
            for year in RULES.years:
                for group in ("all_students", "white"):
                    for indicator in INDICATORS:
                        tenths = draw(st.one_of(st.none(), st.integers(0, 6)))
                        n = draw(st.sampled_from((19, 20, 40)))
                        if tenths is not None or indicator in RULES.required:
                            figure = Decimal(400 + (tenths or 0)) / 10
                            rows.append(IndicatorValue(year, org, span, group, indicator, figure, n))
    return rows


def ranked(rows: list[IndicatorValue]) -> tuple[dict[tuple[str, str], Percentile], list[Step]]:
    found, steps = percentiles(RULES, rows, SCHOOLS)
    return {(entry.org_code, entry.student_group): entry for entry in found}, steps


def stretched(row: IndicatorValue) -> IndicatorValue:
    """The row on a scale that keeps the order and nothing else."""
    assert row.value is not None
    return row._replace(value=row.value**3 - 5)


INDEX: SearchStrategy[int] = st.integers(0, 10_000)


@settings(max_examples=30, deadline=None)
@given(states(), st.sampled_from(INDICATORS), st.randoms(use_true_random=False))
def test_only_the_order_of_values_counts_and_never_that_of_rows(
    rows: list[IndicatorValue], indicator: str, random: Any
) -> None:
    found, _ = ranked(rows)
    assert all(entry.percentile is None or 1 <= entry.percentile <= 99 for entry in found.values())
    assert all((entry.percentile is None) == (entry.status != "ok") for entry in found.values())
    other = [stretched(row) if row.indicator == indicator else row for row in rows]
    random.shuffle(other)
    assert ranked(other)[0] == found


@settings(max_examples=30, deadline=None)
@given(states(), INDEX, st.integers(1, 9))
def test_a_better_value_never_lowers_its_school_nor_lifts_the_score_of_another(
    rows: list[IndicatorValue], index: int, tenths: int
) -> None:
    row = rows[index % len(rows)]
    assert row.value is not None
    gain = -tenths if row.indicator in RULES.lower_is_better else tenths
    better = row._replace(value=row.value + Decimal(gain) / 10)
    before, _ = ranked(rows)
    after, _ = ranked([better if other == row else other for other in rows])
    for key, entry in before.items():
        then = after[key]
        if entry.percentile is None or entry.score is None or then.percentile is None or then.score is None:
            assert (entry.percentile, then.percentile) == (None, None)
        elif key == (row.org_code, row.student_group):
            assert then.percentile >= entry.percentile
        else:
            assert then.score <= entry.score


@settings(max_examples=20, deadline=None)
@given(states())
def test_the_trace_alone_gives_every_percentile_again(rows: list[IndicatorValue]) -> None:
    found, steps = ranked(rows)
    assert len(steps) == len(found)
    for step in steps:
        inputs, outcome = (json.loads(value_text(part)) for part in (step.inputs, step.outcome))
        entry = found[step.org_code, step.student_group]
        assert outcome["percentile"] == entry.percentile
        if entry.percentile is not None:
            assert replayed(inputs, json.loads(parameter_text(step.parameters))) == (entry.score, entry.percentile)


def replayed(inputs: dict[str, Any], parameters: list[dict[str, str]]) -> tuple[Fraction, int]:
    """Score and percentile from the JSON of a step."""
    rank = {row["parameter"]: Fraction(row["value"]) for row in parameters if row["rule_id"] == "percentile_rank"}
    weights = {
        row["parameter"]: Fraction(row["value"]) for row in parameters if row["rule_id"] == "percentile_year_weight"
    }
    total = weight = Fraction(0)
    for year, figures in inputs["years"].items():
        assert weights[year] == Fraction(figures["weight"])
        total += weights[year] * Fraction(figures["score"])
        weight += weights[year]
    assert total / weight == Fraction(inputs["score"])
    position = (inputs["below"] + rank["tie_share"] * inputs["ties"]) / inputs["ranked"]
    percentile = int(rank["multiplier"] * position + rank["addend"])
    return Fraction(inputs["score"]), int(min(rank["highest"], max(rank["lowest"], percentile)))
