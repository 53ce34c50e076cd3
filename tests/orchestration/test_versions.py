"""Which versions of data and code change with a delivery, a macro: those of what it reaches, and no others."""

from __future__ import annotations

import pytest

from orchestration.indicators import versioning
from orchestration.indicators.correcting import APPLIED
from orchestration.indicators.versioning import code_versions, data_versions
from orchestration.lineage.models import models_of
from tests.support.workshop import CONTRACTS

YEAR = 2025
LAGS = {"dropouts": 1, "graduation_cohorts": 1}
STUDENT = [name for name, contract in CONTRACTS.items() if contract.source == "student"]


def inputs(**changed: int) -> list[dict[str, object]]:
    """A delivery of each collection and year; `changed`: the year in which a collection has other rows."""
    return [
        {"year": year, "collection": name, "part": "", "accepted": "other" if changed.get(name) == year else name}
        for name in STUDENT
        for year in (YEAR - 2, YEAR - 1, YEAR)
    ]


def changes(**changed: int) -> set[str]:
    before, after = (data_versions(YEAR, "student", given, LAGS, []) for given in (inputs(), inputs(**changed)))
    return {name for name in before if before[name] != after[name]}


def made_from(*names: str) -> set[str]:
    """Models and everything that is made from them."""
    found = set(names)
    for name, model in models_of("student").items():
        if found & set(model.parents):
            found.add(name)
    return found


@pytest.mark.parametrize(
    ("changed", "models"),
    [
        ({"access": YEAR}, ("stg_access",)),
        ({"access": YEAR - 1}, ("stg_access_prior",)),
        ({"access": YEAR - 2}, ()),
        ({"dropouts": YEAR - 1}, ("stg_dropouts",)),
        ({"dropouts": YEAR}, ()),
    ],
)
def test_other_rows_change_what_is_made_from_them_and_nothing_else(
    changed: dict[str, int], models: tuple[str, ...]
) -> None:
    assert changes(**changed) == made_from(*models) | {APPLIED}


def test_another_macro_changes_the_code_of_what_calls_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before, digest = code_versions("student"), versioning.sha256_of
    edited = "dbt_project/macros/exact.sql"
    monkeypatch.setattr(versioning, "sha256_of", lambda path: "x" if str(path).endswith(edited) else digest(path))
    after = code_versions("student")
    assert {name for name in before if before[name] != after[name]} == {"int_student_results", "participation_results"}
