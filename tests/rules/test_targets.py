"""Targets in worked examples: published ones, generated ones, paths, and what the year after asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

import pytest

from orchestration.determinations.figures import Result
from orchestration.determinations.target_rules import target_rules
from orchestration.determinations.targets import Target, targets
from orchestration.errors import InputError
from tests.support.determinations import REGISTER, changed

ELA, ABSENCE, GRADUATION = "ela_achievement", "chronic_absenteeism", "four_year_graduation"
MEASURES = {ELA: "scaled_score", ABSENCE: "percent", GRADUATION: "percent"}


def result(
    org: str,
    year: int,
    figure: str | None,
    indicator: str = ELA,
    level: str = "school",
    measure: str = "",
    gradespan: str = "non_high",
) -> Result:
    measure = measure or MEASURES[indicator]
    status = "ok" if figure else "n_too_small"
    value = Decimal(figure) if figure else None
    return Result(year, org, level, gradespan, "all_students", indicator, measure, value, 50, status)


def history(indicator: str, figures: Mapping[str, tuple[str, str]], first: int = 2023) -> list[Result]:
    """School to its figures of two years."""
    return [result(org, first + n, figure, indicator) for org, pair in figures.items() for n, figure in enumerate(pair)]


def goals(
    results: Iterable[Result], published: Iterable[Mapping[str, object]] = (), year: int = 2025
) -> dict[str, Target]:
    found, _ = targets(target_rules(REGISTER, year), results, published)
    return {entry.org_code: entry for entry in found}


FOUR = {"A": ("480.0", "484.0"), "B": ("490.0", "492.0"), "C": ("500.0", "501.0"), "D": ("510.0", "509.0")}


def test_the_step_is_the_typical_gain_of_those_who_start_alike() -> None:
    found = goals(history(ELA, FOUR))
    # Four schools, four quarters: each quarter's typical gain is its one school's. No target falls.
    assert [(found[org].target, found[org].increment) for org in "ABCD"] == [
        (Decimal("488.0"), Decimal("4.0")),
        (Decimal("494.0"), Decimal("2.0")),
        (Decimal("502.0"), Decimal("1.0")),
        (Decimal("509.0"), Decimal("0")),
    ]
    assert found["A"].next_target == Decimal("492.0")
    assert {entry.source for entry in found.values()} == {"generated"}


def test_the_mean_gain_is_rounded_half_up_to_one_decimal() -> None:
    rules = target_rules(changed(("target_step", "baseline_groups", "1")), 2025)
    found, _ = targets(rules, history(ELA, {"A": ("490.0", "490.2"), "B": ("500.0", "500.3")}))
    assert [entry.increment for entry in found] == [Decimal("0.3")] * 2  # mean 0.25


def test_where_less_is_better_targets_fall_and_stop_at_nothing() -> None:
    found = goals(history(ABSENCE, {"A": ("30.0", "25.0"), "B": ("9.0", "1.0")}))
    assert (found["A"].target, found["A"].increment, found["A"].next_target) == (
        Decimal("20.0"),
        Decimal("5.0"),
        Decimal("15.0"),
    )
    assert (found["B"].target, found["B"].next_target) == (Decimal("0.0"), Decimal("0.0"))


def test_targets_stop_at_the_end_of_the_scale() -> None:
    found = goals(history(GRADUATION, {"A": ("90.0", "98.0")}))
    assert (found["A"].target, found["A"].next_target) == (Decimal("100.0"), Decimal("100.0"))


def test_districts_take_the_step_of_schools_that_start_alike() -> None:
    found = goals([*history(ELA, FOUR), result("district", 2024, "493.0", level="district")])
    assert found["district"].target == Decimal("494.0")  # third quarter of the schools' baselines 484, 492, 501, 509


def test_a_gain_across_two_scales_is_no_gain() -> None:
    results = [result("A", 2023, "85.0", measure="cpi"), result("A", 2024, "500.0")]
    assert goals(results)["A"].target == Decimal("500.0")


def test_the_results_of_the_year_itself_move_no_target() -> None:
    results = history(ELA, FOUR)
    now = [result(org, 2025, "550.0") for org in FOUR]
    assert goals([*results, *now]) == goals(results)


def test_the_first_year_with_data_takes_the_gains_into_the_year() -> None:
    results = history(ELA, FOUR, first=2017)
    assert goals(results, year=2018)["A"].target == Decimal("484.0")
    _, steps = targets(target_rules(REGISTER, 2018), results)
    assert steps[0].inputs["history"] == "during"


def test_no_baseline_no_target() -> None:
    found = goals([result("A", 2024, None), result("B", 2025, "500.0")])
    assert [(found[org].target, found[org].status) for org in "AB"] == [(None, "n_too_small"), (None, "no_prior_year")]


def test_there_are_no_targets_in_2022() -> None:
    assert targets(target_rules(REGISTER, 2022), history(ELA, FOUR, first=2020)) == ([], [])


# Paths


@pytest.mark.parametrize(
    ("before", "path"), [("500.1", "Recovery Path"), ("500.0", "Path Forward"), (None, "Path Forward")]
)
def test_a_group_below_its_own_2019_level_is_on_the_recovery_path(before: str | None, path: str) -> None:
    assert goals([result("A", 2019, before), result("A", 2024, "500.0")])["A"].path == path


def test_the_2019_cpi_of_a_high_school_is_not_compared_with_scaled_scores() -> None:
    high = [result("A", 2019, "95.0", measure="cpi", gradespan="high"), result("A", 2024, "40.0", gradespan="high")]
    assert goals([high[0], high[1]._replace(value=Decimal("500.0"))])["A"].path == "Path Forward"


def test_rates_and_years_before_2023_have_no_path() -> None:
    assert goals([result("A", 2024, "90.0", GRADUATION)])["A"].path is None
    assert goals([result("A", 2018, "500.0")], year=2019)["A"].path is None


# Published targets


def published(**cells: object) -> dict[str, object]:
    return {"org_code": "A", "student_group": "All Students", "gradespan": "Non-high school"} | cells


def test_a_published_target_goes_before_a_generated_one() -> None:
    row = published(
        ela_baseline="484.0", ela_path="Recovery Path", ela_target=Decimal("485.5"), ela_increment_next=Decimal("1.6")
    )
    found = goals(history(ELA, FOUR), [row])
    assert (found["A"].target, found["A"].next_target) == (Decimal("485.5"), Decimal("487.1"))
    assert (found["A"].source, found["A"].path) == ("published", "Recovery Path")
    assert found["B"].source == "generated"


@pytest.mark.parametrize("reduction", ["0.8", "-0.8"])
def test_a_published_reduction_lowers_next_years_target_whatever_its_sign(reduction: str) -> None:
    row = published(chronic_absenteeism_target="20.0", chronic_absenteeism_increment=Decimal(reduction))
    assert goals([], [row])["A"].next_target == Decimal("19.2")


def test_a_blank_cell_is_no_published_target() -> None:
    found = goals(history(ELA, FOUR), [published(ela_target=None)])
    assert found["A"].source == "generated"


def test_the_step_of_a_generated_target_names_the_schools_behind_it() -> None:
    _, steps = targets(target_rules(REGISTER, 2025), history(ELA, FOUR))
    assert steps[0].key == "2025/A/target/non_high/all_students/ela_achievement"
    assert steps[0].inputs == {
        "baseline": Decimal("484.0"),
        "baseline_group": 1,
        "step": Decimal("4.0"),
        "history": "before",
        "schools": 1,
    }
    assert steps[0].outcome["source"] == "generated"
    assert all(row.status != "confirmed" for row in steps[0].parameters if row.rule_id == "target_step")


def test_bad_input_is_named() -> None:
    rules = target_rules(REGISTER, 2025)
    for rows, message in (
        ([published(student_group="Everybody", ela_target="1")], "A Everybody Non-high school: the group or gradespan"),
        ([published(ela_target="1"), published(ela_target="2")], "ela stands there twice"),
        ([published(ela_target="many")], "'many' is not a number"),
        ([published(ela_target="500", ela_path="Garden Path")], "'Garden Path' is not a path"),
    ):
        with pytest.raises(InputError, match=message):
            targets(rules, [], rows)
    once = result("A", 2024, "500.0")
    with pytest.raises(InputError, match="2024 A non_high all_students ela_achievement stands there twice"):
        targets(rules, [once, once])
    with pytest.raises(InputError, match="measure 'stars' has no row in measure_scale"):
        targets(rules, [once._replace(measure="stars")])
