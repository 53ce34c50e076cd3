"""What Great Expectations is spared changes nothing of what it says."""

from __future__ import annotations

import gc
from contextlib import nullcontext

import great_expectations as gx
import pandas as pd
import pytest
from great_expectations.expectations.expectation import Expectation

from orchestration.validation import running
from orchestration.validation.library import configured_once
from orchestration.validation.suites import CRITICAL
from orchestration.validation.suites import Expectation as Expected

FRAME = pd.DataFrame({"code": ["a", "b", "c", None], "n": [1, 19, 20, 21], "share": [0.0, 50.5, 100.0, 100.5]})
ASKED = {
    "in_set": ("expect_column_values_to_be_in_set", {"column": "code", "value_set": ["a", "b"]}),
    "there": ("expect_column_values_to_not_be_null", {"column": "code"}),
    "between": ("expect_column_values_to_be_between", {"column": "share", "min_value": 0, "max_value": 100}),
    "held": ("expect_column_values_to_be_between", {"column": "n", "min_value": 1}),
    "unique": ("expect_compound_columns_to_be_unique", {"column_list": ["code", "n"]}),
    "crash": ("expect_column_values_to_not_be_null", {"column": "gone"}),
}


def validated() -> dict[str, dict[str, object]]:
    expectations = [
        Expected(name, kind, kwargs, None, CRITICAL, "rule", "owner", "says", ())
        for name, (kind, kwargs) in ASKED.items()
    ]
    return running._validated(FRAME, expectations, {name: kwargs for name, (_, kwargs) in ASKED.items()})


def test_what_is_said_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    spared = validated()
    monkeypatch.setattr(running, "configured_once", nullcontext)
    assert spared == validated()
    assert [name for name, found in spared.items() if found.get("success")] == ["held", "unique"]
    assert "gone" in str(spared["crash"]["crashed"])


def test_each_expectation_keeps_its_own_configuration_until_the_end() -> None:
    before = vars(Expectation)["configuration"]
    with configured_once():
        first = gx.expectations.ExpectColumnValuesToNotBeNull(column="first")
        assert first.configuration is first.configuration
        seen = {}
        for number in range(200):  # each is forgotten at once, and its number would be free again
            column = f"c{number}"
            seen[column] = gx.expectations.ExpectColumnValuesToNotBeNull(column=column).configuration.kwargs["column"]
            gc.collect(0)
        assert all(column == found for column, found in seen.items())
    assert vars(Expectation)["configuration"] is before
    assert first.configuration is not first.configuration
