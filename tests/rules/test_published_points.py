"""Points of rows that the Department printed: every published indicator row, and what is known of others."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from orchestration.settings import PROJECT
from tests.support.determinations import REGISTER
from tests.support.points import points

CASES = PROJECT.parent / "shared" / "oracle" / "indicator-points.json"
GROUPS = {row.value: row.parameter for row in REGISTER.rows if row.rule_id == "group_label"}


@cache
def cases() -> dict[str, dict[str, Any]]:
    if not CASES.is_file():
        pytest.fail(f"{CASES} is missing: without it nothing is held against published points")
    return {case["id"]: case for case in json.loads(CASES.read_text(), parse_float=str)["cases"]}


SCITUATE_2019 = [
    ("ela-all", "98.7", "99.4", "100.0", 4, "Exceeded Target", "at_absolute_level"),
    ("ela-lowest-perf", "97.4", "98.0", "99.0", 4, "Exceeded Target", "at_absolute_level"),
    ("ela-high", "94.6", "96.9", "96.5", 3, "Met Target", "within_target"),
    ("ela-econ.", "97.1", "95.7", "98.8", 1, "No Change", "no_change"),
    ("ela-students", "89.4", "95.2", "91.5", 4, "Exceeded Target", "above_target"),
    ("ela-white", "98.9", "99.3", "100.0", 4, "Exceeded Target", "at_absolute_level"),
    ("math-all", "97.4", "96.4", "99.0", 1, "No Change", "no_change"),
    ("math-lowest-perf", "91.2", "87.1", "93.3", 0, "Declined", "declined"),
    ("math-high", "89.5", "82.7", "91.5", 0, "Declined", "declined"),
    ("math-econ.", "91.4", "85.2", "93.7", 0, "Declined", "declined"),
]


@pytest.mark.parametrize(("name", "prior", "current", "target", "earned", "reason", "route"), SCITUATE_2019)
def test_a_high_school_of_2019_row_by_row(
    name: str, prior: str, current: str, target: str, earned: int, reason: str, route: str
) -> None:
    case = cases()[f"ind-2019-scituatehs-{name}"]
    figures = case["inputs"]
    assert (prior, current, target) == (figures["prior"], figures["current"], figures["target"])
    found = points(
        figures["measure"],
        figures["gradespan"],
        year=2019,
        group=GROUPS[figures["group"]],
        current=current,
        prior=prior,
        target=target,
        n=figures["n"],
        prior_n=None,
    )
    assert (found.points, found.reason, found.route) == (earned, reason, route)
    assert (found.points, found.reason) == (case["expected"]["points"], case["expected"]["reason"])


REGION_2023 = [
    ("ela-all", "513.1", "515.5", "514.1", 4, "Path Forward: Exceeded Target"),
    ("ela-high", "500.2", "500.8", "502.1", 2, "Path Forward: Improved Below Target"),
    ("ela-students", "497.0", "497.6", "498.9", 2, "Path Forward: Improved Below Target"),
    ("ela-white", "513.5", "516.0", "514.8", 4, "Path Forward: Exceeded Target"),
    ("math-high", "499.1", "500.0", "501.8", 2, "Path Forward: Improved Below Target"),
]


@pytest.mark.parametrize(("name", "prior", "current", "target", "earned", "reason"), REGION_2023)
def test_a_regional_high_school_of_2023_row_by_row(
    name: str, prior: str, current: str, target: str, earned: int, reason: str
) -> None:
    case = cases()[f"ind-2023-07050505-{name}"]
    figures = case["inputs"]
    assert (prior, current, target) == (figures["prior"], figures["current"], figures["target"])
    found = points(
        figures["measure"],
        figures["gradespan"],
        year=2023,
        group=GROUPS[figures["group"]],
        current=current,
        prior=prior,
        target=target,
        n=figures["n"],
        path="Path Forward",
    )
    assert (found.points, found.reason) == (earned, reason)
    assert (found.points, found.reason) == (case["expected"]["points"], case["expected"]["reason"])


def test_below_target_but_met_through_the_statewide_80th_percentile() -> None:
    """513.5 against 514.6 is printed as met: so the 80th percentile, which no page prints, was at most 513.5."""
    figures = {"year": 2023, "current": "513.5", "prior": "513.4", "target": "514.6", "path": "Recovery Path"}
    alone = points("math_achievement", "high", **figures)
    assert (alone.points, alone.reason) == (2, "Recovery Path: Improved Below Target")
    assert [route.key for route in alone.untested] == ["all_students_90", "group_90", "all_students_80"]
    found = points("math_achievement", "high", **figures, all_students_80="513.5")
    assert (found.points, found.reason) == (3, "Recovery Path: Met Target")
    assert found.route == "all_students_80"
    expected = cases()["ind-2023-07050505-math-all"]["expected"]
    assert (found.points, found.reason) == (expected["points"], expected["reason"])


def test_every_published_row_is_looked_at() -> None:
    worked = {f"ind-2019-scituatehs-{row[0]}" for row in SCITUATE_2019} | {
        f"ind-2023-07050505-{row[0]}" for row in REGION_2023
    }
    small = {name for name, case in cases().items() if case["kind"] == "minimum_n"}
    assert set(cases()) == worked | small | {"ind-2023-07050505-math-all"}
    for name in small:
        figures = cases()[name]["inputs"]
        found = points(
            figures["measure"], "high", year=2023, group=GROUPS[figures["group"]], current=None, n=figures["n"]
        )
        assert (found.points, found.reason, found.status) == (None, "-", "n_too_small")


@pytest.mark.parametrize(
    ("indicator", "prior", "current", "target", "earned"),
    [
        ("science_achievement", "485.4", "485.2", "487.0", 1),  # Methuen 2025, fell by 0.2
        ("ela_achievement", "490.0", "489.4", "492.0", 0),  # fell by 0.6
        ("chronic_absenteeism", "25.0", "24.2", "24.0", 3),
        ("el_progress", "45.0", "52.3", "49.0", 4),  # 3.3 above target
    ],
)
def test_what_is_known_of_a_district_of_2025(
    indicator: str, prior: str, current: str, target: str, earned: int
) -> None:
    assert points(indicator, "non_high", current=current, prior=prior, target=target).points == earned
