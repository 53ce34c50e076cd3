"""What holds of points, percentages and the whole determination whatever the figures are.

Belongs here: more is never worth less, the order of rows is no rule, every figure falls in one band. Does not: what the
points of single figures are (test_points.py, and the oracle).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.determinations.classification_rules import classification_rules
from orchestration.determinations.determining import Determined, determine
from orchestration.determinations.reading import Inputs
from orchestration.determinations.year_rules import year_rules
from tests.support.determinations import REGISTER
from tests.support.made_up_inputs import inputs
from tests.support.points import points, rules

YEARS = (2018, 2019, 2023, 2024, 2025)
TENTH = Decimal("0.1")
NAMES = ("all_students_90", "all_students_80", "group_90", "difficulty_quartile_90", "difficulty_quartile_80")
YARDSTICKS = [
    (year, span, indicator)
    for year in YEARS
    for span in ("non_high", "high")
    for indicator in (row.parameter for row in REGISTER.rows if row.rule_id == "indicator_direction")
    if rules(year).yardstick(span, "all_students", indicator) is not None
]
FALLING = {row.parameter for row in REGISTER.rows if row.rule_id == "indicator_direction" and row.value == "lower"}
SCALES = {
    row.parameter: tuple(map(Decimal, row.value.split())) for row in REGISTER.rows if row.rule_id == "measure_scale"
}


@st.composite
def figures(draw: st.DrawFn, measure: str) -> Decimal:
    """A figure on its scale; half of them close together, so that targets and bands are met."""
    low, high = (int(end * 10) for end in SCALES[measure])
    middle = (low + high) // 2
    return draw(st.integers(low, high) | st.integers(middle - 60, middle + 60)) * TENTH


@settings(max_examples=1500, deadline=None)
@given(data=st.data())
def test_a_better_figure_never_earns_fewer_points(data: st.DataObject) -> None:
    year, span, indicator = data.draw(st.sampled_from(YARDSTICKS))
    yardstick = rules(year).yardstick(span, "all_students", indicator)
    assert yardstick is not None
    one = figures(yardstick.measure)
    worse, better = sorted((data.draw(one), data.draw(one)), reverse=indicator in FALLING)
    fixed: dict[str, Any] = {
        name: None if data.draw(st.booleans()) else str(data.draw(one)) for name in ("prior", "target")
    }
    known = data.draw(st.sets(st.sampled_from(NAMES))) if not yardstick.bands else set()
    fixed |= {name: str(data.draw(one)) for name in sorted(known)}
    fixed["prior_n"] = data.draw(st.sampled_from((19, 20)))
    low, high = (points(indicator, span, year=year, current=str(value), **fixed) for value in (worse, better))
    assert (-1 if low.points is None else low.points) <= (-1 if high.points is None else high.points)


@pytest.mark.parametrize("year", YEARS)
def test_every_growth_figure_falls_in_a_band_and_every_point_has_a_rating(year: int) -> None:
    low, high = (int(end * 10) for end in SCALES["mean_sgp"])
    for span in ("non_high", "high"):
        found = [points("ela_growth", span, year=year, current=str(value * TENTH)) for value in range(low, high + 1)]
        earned = [award.points for award in found]
        assert set(earned) == {0, 1, 2, 3, 4}
        assert earned == sorted(earned, key=lambda value: -1 if value is None else value)
        assert len({(award.points, award.rating) for award in found}) == 5
        assert all(award.status == "ok" and award.rating != "-" for award in found)


@pytest.mark.parametrize("year", YEARS)
def test_every_whole_percent_falls_in_exactly_one_progress_band(year: int) -> None:
    bands = classification_rules(REGISTER, year).bands
    counted = Counter(percent for band in bands for percent in range(band.low, band.high + 1))
    assert counted == dict.fromkeys(range(101), 1)


def test_every_percentage_is_between_none_and_all_of_the_points() -> None:
    for year in YEARS:
        for percentage in of_a_state(year).percentages:
            assert (percentage.kept is None) == (percentage.shown is None) == (percentage.status != "ok")
            if percentage.kept is not None and percentage.shown is not None:
                assert 0 <= percentage.kept <= 100
                assert percentage.shown == int(percentage.kept + Decimal("0.5"))


# --- The order of the rows is no rule --------------------------------------------------------------------------------


@cache
def a_state(year: int) -> Inputs:
    return inputs(year, 7, 24)


@cache
def of_a_state(year: int) -> Determined:
    return determine(a_state(year), year_rules(REGISTER, year))


def shuffled(given: Inputs, seed: int) -> Inputs:
    """The same rows in another order."""
    random = Random(seed)

    def mixed(rows: Any) -> Any:
        return random.sample(list(rows), len(rows))

    return replace(
        given,
        results=tuple(mixed(given.results)),
        participation=tuple(mixed(given.participation)),
        organisations=dict(mixed(given.organisations.items())),
        designations=tuple(mixed(given.designations)),
        recognitions=tuple(mixed(given.recognitions)),
        published_targets=tuple(mixed(given.published_targets)),
        prior_annuals=None if given.prior_annuals is None else dict(mixed(given.prior_annuals.items())),
    )


def figures_of(done: Determined) -> dict[str, Any]:
    """Every table without the status of percentages that there are none of, which has a test of its own."""
    shares = [(p.step.key, p.kept, p.shown, p.status == "ok") for p in (*done.percentages, *_columns(done))]
    totals = {s.percentage.step.key: (s.weighted_earned, s.weighted_possible) for s in done.columns}
    return {
        "targets": sorted(done.targets, key=lambda t: (t.org_code, t.gradespan, t.student_group, t.indicator)),
        "points": {key: (a.points, a.rating, a.reason, a.route, a.status) for key, a in done.awards.items()},
        "totals": totals,
        "percentages": sorted(shares),
        "percentiles": sorted(done.percentiles, key=lambda p: p.key),
        "determinations": sorted(done.determinations, key=lambda d: d.org_code),
        "federal": sorted(done.federal, key=lambda f: f.org_code),
        "trace": sorted(step.key for step in done.steps),
    }


def _columns(done: Determined) -> list[Any]:
    return [score.percentage for score in done.columns]


@pytest.mark.parametrize("year", [*YEARS, 2022])
@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_the_rows_changes_no_figure(year: int, seed: int) -> None:
    before, after = figures_of(of_a_state(year)), figures_of(determine(shuffled(a_state(year), seed), _rules(year)))
    for table, found in before.items():
        assert after[table] == found, table


@cache
def _rules(year: int) -> Any:
    return year_rules(REGISTER, year)


FIRST_ROW = "a column without points takes the status of whichever of its figures stands first in the rows"


def test_the_order_of_the_rows_changes_no_status_of_a_missing_percentage() -> None:
    statuses = []
    for seed in range(4):
        done = determine(shuffled(a_state(2025), seed), _rules(2025))
        statuses.append({p.step.key: p.status for p in (*done.percentages, *_columns(done))})
    assert all(found == statuses[0] for found in statuses)


def test_the_order_of_the_rows_changes_no_number_of_a_step() -> None:
    orders = []
    for seed in range(2):
        done = determine(shuffled(a_state(2025), seed), _rules(2025))
        orders.append([step.key for step in sorted(done.steps, key=lambda step: step.org_code)])
    assert orders[0] == orders[1]
