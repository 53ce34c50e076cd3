"""What holds of classifications whatever the figures are, and that the steps alone give the decision again."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.determinations.classification import Determination, classify
from orchestration.determinations.classification_rules import classification_rules
from orchestration.determinations.grounds import Facts
from orchestration.determinations.ledgers import Designation, Recognition
from orchestration.determinations.participation import ParticipationRate
from orchestration.determinations.trace import Step
from tests.support.determinations import REGISTER

YEARS = (2018, 2019, 2023, 2024, 2025)
RULES = {year: classification_rules(REGISTER, year) for year in YEARS}
PERCENT = st.none() | st.integers(0, 100)
RATES = st.builds(
    ParticipationRate,
    st.sampled_from(("all_students", "white", "lowest_performing")),
    st.sampled_from(("ela", "math", "science")),
    st.integers(15, 25),
    PERCENT,
    PERCENT,
)
FACTS = st.builds(
    Facts,
    st.just("00010101"),
    st.sampled_from(("school", "district", "state")),
    percentile=st.none() | st.integers(1, 20),
    group_percentiles=st.dictionaries(st.sampled_from(("white", "asian")), st.none() | st.integers(1, 12)),
    graduation_rate=st.none() | st.decimals(60, 70, places=1),
    participation=st.lists(RATES, max_size=3).map(tuple),
    annual=PERCENT,
    cumulative=PERCENT,
)
DESIGNATIONS = st.lists(
    st.builds(
        Designation,
        st.just("00010101"),
        st.sampled_from(("receivership", "chronically_underperforming")),
        st.dates(),
        st.none(),
        *(st.just(word) for word in ("Board", "results", "vote")),
    ),
    max_size=2,
)
RECOGNITIONS = st.lists(
    st.builds(Recognition, st.sampled_from(YEARS), *(st.just(w) for w in ("00010101", "high_growth", "C", "list"))),
    max_size=2,
)


@pytest.mark.parametrize("year", YEARS)
def test_every_whole_percent_lies_in_one_band(year: int) -> None:
    for percent in range(101):
        assert sum(band.low <= percent <= band.high for band in RULES[year].bands) == 1


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(YEARS), FACTS, DESIGNATIONS, RECOGNITIONS)
def test_everyone_gets_one_of_the_words_and_the_steps_say_why(
    year: int, facts: Facts, designations: list[Designation], recognitions: list[Recognition]
) -> None:
    (found,), steps = classify(RULES[year], [facts], designations, recognitions)
    assert found.overall_classification in {row.value for row in RULES[year].overall.values()}
    assert found.reason in {row.value for row in RULES[year].reasons.values()}
    assert found.reason == replayed(year, found, steps)
    for ground in found.grounds:
        for check in ground.checks:
            if isinstance(check.distance, Decimal | int) and isinstance(check.figure, Decimal | int):
                assert check.figure - check.distance == check.threshold


def replayed(year: int, found: Determination, steps: list[Step]) -> str:
    """The reason, from the outcomes of the ground steps and the words of the year only."""
    word = {parameter: row.value for parameter, row in RULES[year].reasons.items()}
    met = {step.indicator for step in steps if step.outcome.get("met")}
    by_test = {step.indicator: step for step in steps}
    assert by_test[""].upstream == tuple(step.key for step in steps if step.indicator)
    if "designation" in met:
        return word["broad_comprehensive"]
    if met & {"percentile", "group_percentile", "graduation_rate", "participation"}:
        return word["focused_targeted"]
    if "insufficient_data" in met:
        return word["insufficient_data"]
    if "recognition" in met:
        return word["recognition"]
    return word[by_test["progress"].parameters[0].parameter]
