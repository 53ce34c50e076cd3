"""How far a figure is from the threshold of a test: the words for each kind of test, and which are the nearest."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration.explanation.thresholds import check_line, checks_of, nearest

ROWS = {
    "percentile": {"parameter": "at_most", "unit": "percentile"},
    "group_percentile": {"parameter": "at_most", "unit": "percentile"},
    "graduation_rate": {"parameter": "below", "unit": "percent"},
    "participation": {"parameter": "below", "unit": "whole percent"},
    "progress": {"parameter": "moderate_progress", "unit": "whole percent"},
    "recognition": {"parameter": "grounds_needed", "unit": "grounds in the ledger"},
}


def check(figure: Any, threshold: Any, *, met: bool, **more: str) -> dict[str, Any]:
    """A check as the trace holds it: exact decimals are texts."""
    distance = figure - threshold if isinstance(figure, int) else f"{float(figure) - float(threshold):.1f}"
    return {"figure": figure, "threshold": threshold, "distance": distance, "met": met, "status": "ok", **more}


def step_of(test: str, *checks: dict[str, Any]) -> dict[str, Any]:
    rows = [ROWS[test]] if test in ROWS else []
    return {"kind": "classification", "indicator": test, "parameters": rows, "inputs": {"checks": list(checks)}}


@pytest.mark.parametrize(
    ("test", "held", "said"),
    [
        ("percentile", check(8, 10, met=True), "(met at it or below), 2 percentile points below it: met"),
        ("percentile", check(11, 10, met=False), "(met at it or below), 1 percentile point above it: not met"),
        ("percentile", check(10, 10, met=True), "(met at it or below), exactly at it: met"),
        ("group_percentile", check(1, 5, met=True), "4 percentile points below it: met"),
        ("graduation_rate", check("85.5", "66.7", met=False), "18.8 percentage points above it: not met"),
        ("graduation_rate", check("60.2", "66.7", met=True), "(met below it), 6.5 percentage points below it: met"),
        ("participation", check(62, 95, met=True), "(met below it), 33 percentage points below it: met"),
        ("participation", check(95, 95, met=False), "(met below it), exactly at it: not met"),
        (
            "progress",
            check(60, 75, met=True),
            "(where the next band begins), 15 percentage points below it: band reached",
        ),
        ("recognition", check(2, 1, met=True), "(met at it or above), 1 ground above it: met"),
        ("recognition", check(1, 3, met=False), "(met at it or above), 2 grounds below it: not met"),
    ],
)
def test_the_words_say_on_which_side_of_the_threshold_a_figure_is(test: str, held: dict[str, Any], said: str) -> None:
    line = check_line(step_of(test, held), held)
    assert line.endswith(f" {said}")
    assert line.startswith(f"value: {held['figure']}, threshold {held['threshold']} (")


@pytest.mark.parametrize(
    ("test", "held", "said"),
    [
        ("progress", {"figure": 90, "subject": "meeting", "met": True, "status": "ok"}, "meeting: 90: band reached"),
        ("progress", {"met": False, "status": "not_applicable"}, "value: not applicable"),
        ("insufficient_data", {"subject": "percentile", "met": True, "status": "ok"}, "percentile: none: met"),
        (
            "insufficient_data",
            {"subject": "progress", "figure": 60, "met": False, "status": "ok"},
            "progress: 60 is there: not met",
        ),
        ("participation", {"threshold": "95", "met": False, "status": "n_too_small"}, "value: n too small"),
        ("designation", {"figure": "receivership", "subject": "Board", "met": True}, "Board: receivership: met"),
    ],
)
def test_a_check_without_a_threshold_to_hold_it_against(test: str, held: dict[str, Any], said: str) -> None:
    assert check_line(step_of(test, held), held) == said


def test_the_nearest_are_those_that_little_would_change() -> None:
    """Rates far below their limit are met and far; the percentile just above its limit is what would change."""
    rates = [check(rate, 95, met=True, student_group=f"group_{rate}") for rate in range(60, 65)]
    near = check(94, 95, met=True, student_group="near")
    steps = [
        step_of("participation", *rates, check(96, 95, met=False, student_group="unmet"), near),
        step_of("percentile", check(11, 10, met=False)),
        step_of(
            "group_percentile", check(40, 5, met=False, student_group="a"), check(6, 5, met=False, student_group="b")
        ),
        step_of("progress", check(60, 75, met=True, subject="moderate")),
    ]
    found = nearest(steps)
    assert [(part.is_reached, part.unit, part.count) for part in found] == [
        (False, "percentage points", 2),
        (False, "percentile points", 3),
        (True, "percentage points", 6),
    ]
    unmet, percentiles, met = found
    assert [line.split(":")[0] for line in unmet.lines] == ["participation, unmet", "progress, moderate"]
    assert [line.split(": ", 1)[0] for line in percentiles.lines] == [
        "percentile, value",
        "group percentile, b",
        "group percentile, a",
    ]
    assert [line.split(":")[0] for line in met.lines] == [
        "participation, near",
        *(f"participation, group {rate}" for rate in (64, 63, 62, 61)),
    ]


def test_checks_stand_from_what_met_it_to_what_could_not() -> None:
    none = {"met": False, "status": "n_too_small", "student_group": "none"}
    order = [none, check(99, 95, met=False), check(96, 95, met=False), check(60, 95, met=True), check(90, 95, met=True)]
    assert [entry.get("figure") for entry in checks_of(step_of("participation", *order))] == [90, 60, 96, 99, None]
