"""The arithmetic of percentages in words: as it was done, and only with parts that are there."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration.explanation.sentences import words

YEARS = {"prior_weight": "40", "current_weight": "60"}
POPULATIONS = {"all": "50", "lowest": "50"}


def step(
    kind: str, inputs: dict[str, Any], kept: str | None, parameters: dict[str, str] | None = None
) -> dict[str, Any]:
    return {
        "kind": kind,
        "gradespan": "",
        "student_group": "all_students",
        "indicator": "",
        "inputs": inputs,
        "outcome": {"kept": kept, "shown": kept},
        "parameters": [{"parameter": name, "value": value} for name, value in (parameters or {}).items()],
        "status": "ok" if kept else "n_too_small",
    }


@pytest.mark.parametrize(
    ("kind", "inputs", "kept", "parameters", "said"),
    [
        ("cumulative", {"current": "60.0", "prior": "57.3"}, "58.9", YEARS, "57.3 x 40 % + 60.0 x 60 % → 58.9"),
        ("cumulative", {"current": "60.0", "prior": None}, "60.0", {}, "no prior year: 60.0 alone → 60.0"),
        ("cumulative", {"current": "60.0", "prior": None}, None, {}, "no prior year, and 60.0 does not stand alone"),
        ("cumulative", {"current": None, "prior": None}, None, {}, "no annual percentage this year"),
        (
            "cumulative",
            {"current": None, "prior": "57.3"},
            None,
            YEARS,
            "no annual percentage this year; that of the year before was 57.3",
        ),
        (
            "gradespan",
            {"all": "80.0", "lowest": "40.0"},
            "60.0",
            POPULATIONS,
            "80.0 x 50 % + lowest performing 40.0 x 50 % → 60.0",
        ),
        ("gradespan", {"all": "57.3", "lowest": None}, "57.3", {}, "57.3 alone → 57.3"),
        ("gradespan", {"all": None, "lowest": None}, None, {}, "its column has no percentage"),
        (
            "gradespan",
            {"all": None, "lowest": "57.3"},
            None,
            {},
            "its column has no percentage; lowest performing 57.3 is not used",
        ),
        ("annual", {"high": "38.9"}, "38.9", {}, "high 38.9 alone → 38.9"),
        ("annual", {}, None, {}, "no gradespan has a percentage"),
        (
            "annual",
            {"high": "38.9", "non_high": "63.9"},
            None,
            {},
            "high 38.9, non high 63.9: nothing to weigh them by",
        ),
        (
            "annual",
            {"high": "40.0", "non_high": "60.0", "weights": {"high": "37.5", "non_high": "62.5"}},
            "52.5",
            {},
            "(high 40.0 x 37.5 + non high 60.0 x 62.5) / (37.5 + 62.5) → 52.5",
        ),
    ],
)
def test_a_percentage_is_written_out(
    kind: str, inputs: dict[str, Any], kept: str | None, parameters: dict[str, str], said: str
) -> None:
    told = words(step(kind, inputs, kept, parameters))
    assert told.lines == (said,)
    assert told.figure == (f"{kept} percent" if kept else "n too small")
