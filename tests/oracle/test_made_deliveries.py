"""The deliveries that `strategies` makes reach every rule, and what the oracle says of them adds up.

Nothing here runs the pipeline.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.oracle.intake_oracle import References, Verdict, judge
from tests.oracle.strategies import deliveries, random_delivery
from tests.oracle.valid_rows import (
    CONTRACTS,
    REFERENCES,
    YEAR,
    contract_of,
    judge_rows,
    part_of,
)

MADE = ["sims", "mcas", "hub_enrollment", "assistance_plans", "published_targets", "course_schedules"]
RULES = {
    "required", "type", "characters", "formula", "year", "part", "code", "pattern", "max_length", "scale", "range",
    "not_above", "field_count", "duplicate_key", "foreign_key",
}  # fmt: skip


def many_references(count: int) -> References:
    """Enough organisations and students for every row to have its own."""
    return {
        ("organisations", ("org_code",)): {(f"{number * 37 % 10**8:08d}",) for number in range(count)},
        ("sims", ("sasid",)): {(f"{number * 7919 % 10**10:010d}",) for number in range(count)},
    }


def test_every_contract_can_be_delivered_without_a_defect() -> None:
    references = many_references(60)
    for path in sorted(CONTRACTS.glob("[a-z]*.yml")):
        part = part_of(path.stem)
        made = random_delivery(path, YEAR, part, references, 40, random.Random(path.stem), 0.0)
        verdict = judge(path, made, year=YEAR, part=part, references=references)
        assert (path.stem, verdict.violations) == (path.stem, set())
        assert verdict.delivered == len(verdict.accepted) == 40


def test_every_rule_occurs_in_random_deliveries() -> None:
    references = many_references(1000)
    rules: Counter[str] = Counter()
    repairs: Counter[str] = Counter()
    for collection, seed in itertools.product(MADE, "abc"):
        path, part = contract_of(collection), part_of(collection)
        made = random_delivery(path, YEAR, part, references, 1000, random.Random(collection + seed), 0.3)
        verdict = judge(path, made, year=YEAR, part=part, references=references)
        rules.update(rule for _, _, rule in verdict.violations)
        repairs.update(verdict.repairs)
        assert 0.5 < len(verdict.accepted) / verdict.delivered < 0.98
    assert set(rules) == RULES
    assert repairs["school_code"] > 0


def test_the_same_seed_makes_the_same_delivery() -> None:
    references = many_references(50)
    first, second = (
        random_delivery(contract_of("sims"), YEAR, "march_1", references, 40, random.Random(7), 0.2) for _ in "ab"
    )
    assert first == second


@pytest.mark.parametrize("collection", MADE)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_made_deliveries_add_up_and_stay_accepted(collection: str, data: st.DataObject) -> None:
    """Accepted and quarantined rows make the whole; what was accepted is accepted again, unchanged."""
    path, part = contract_of(collection), part_of(collection)
    made = data.draw(deliveries(path, YEAR, part, REFERENCES))
    verdict = judge(path, made, year=YEAR, part=part, references=REFERENCES)
    quarantined = {row for row, _, _ in verdict.violations}
    assert not quarantined & set(verdict.accepted)
    assert verdict.delivered == len(quarantined) + len(verdict.accepted) >= 1
    if verdict.accepted:
        again = judge_rows_as_they_are(collection, list(verdict.accepted.values()))
        assert again.violations == set()
        assert again.repairs == {}
        assert list(again.accepted.values()) == list(verdict.accepted.values())


def judge_rows_as_they_are(collection: str, rows: list[dict[str, str | None]]) -> Verdict:
    """What becomes of rows that were accepted before."""
    return judge_rows(collection, *[{name: value or "" for name, value in row.items()} for row in rows])
