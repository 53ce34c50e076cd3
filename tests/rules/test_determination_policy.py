"""The policy of targets, percentiles, classification and federal designations is complete, and its rows agree."""

from __future__ import annotations

import pytest

from orchestration.determinations.classification_rules import category_of_level, classification_rules
from orchestration.determinations.determination_rules import check_read, load_determination_rules
from orchestration.determinations.percentile_rules import served_gradespans
from orchestration.errors import InputError
from orchestration.policy import Register
from tests.support.determinations import REGISTER, YEARS, added, changed, without


@pytest.mark.parametrize("year", YEARS)
def test_the_rules_of_every_year_of_determinations_are_complete(year: int) -> None:
    rules = load_determination_rules(REGISTER, year)
    assert rules.classification.classifies == (year != 2022)
    assert sum(rules.percentiles.year_weights.values()) == 100
    assert rules.percentiles.years[0] == year


@pytest.mark.parametrize("year", [2017, 2020, 2021])
def test_there_are_no_determinations_in_a_year_without_them(year: int) -> None:
    with pytest.raises(InputError, match=f"there are no determinations in {year}"):
        classification_rules(REGISTER, year)


def test_the_year_weights_are_those_of_the_rulebook() -> None:
    weights = {year: load_determination_rules(REGISTER, year).percentiles.year_weights for year in YEARS}
    assert weights == {
        2018: {2018: 100},
        2019: {2018: 40, 2019: 60},
        2022: {2019: 40, 2022: 60},
        2023: {2022: 40, 2023: 60},
        2024: {2022: 15, 2023: 25, 2024: 60},
        2025: {2023: 15, 2024: 25, 2025: 60},
    }


BAD = [
    (changed(("progress_band", "substantial_progress", "50-75"), year=2025), "must end at 74: bands cover 0-100"),
    (changed(("progress_band", "substantial_progress", "51-74"), year=2025), "must end at 50: bands cover 0-100"),
    (changed(("progress_band", "limited_or_no_progress", "1-24"), year=2025), "leave out 0-0"),
    (changed(("progress_band", "meeting_or_exceeding_targets", "75"), year=2025), "is not two whole percents"),
    (without("reason_word", "moderate_progress", 2025), "rule reason_word, parameter moderate_progress"),
    (without("overall_word", "requiring"), "rule overall_word, parameter requiring"),
    (changed(("percentile_year_weight", "2024", "26"), year=2025), "the year weights of 2025 sum to 101, not to 100"),
    (without("percentile_year_weight", "2025", 2025), "are school years up to 2025"),
    (changed(("percentile_rank", "lowest", "99")), "the lowest percentile 99 is not below the highest"),
    (changed(("percentile_rank", "tie_share", "1.5")), "must be between 0 and 1"),
    (changed(("percentile_set", "both", "k12")), "value 'k12' of percentile_set.both is not one of high, non_high"),
    (without("percentile_group", "asian"), "rule percentile_group, parameter asian"),
    (changed(("indicator_direction", "annual_dropout", "down")), "is not one of higher, lower"),
    (changed(("classification", "precedence", "progress designation")), "the precedence must name each of"),
    (changed(("classification", "precedence", "progress progress")), "a word stands there twice"),
    (changed(("classification_tests", "school", "percentile luck")), "'luck' is not one of"),
    (changed(("classification_needs", "state", "percentile")), "without progress nothing is left to classify by"),
    (changed(("group_percentile_test", "groups", "asian martians")), "'martians' is not one of"),
    (changed(("graduation_rate_test", "below", "two thirds")), "is not a number"),
    (changed(("designation", "in_force_on", "autumn")), "is not a day as YYYY-MM-DD"),
    (changed(("designation_reason", "underperforming", "doubt")), "value 'doubt' of designation_reason"),
    (changed(("level_crosswalk", "level_1", "excellent")), "value 'excellent' of level_crosswalk.level_1"),
    (changed(("federal", "precedence", "csi tsi")), "the precedence must name each of csi, atsi, tsi"),
    (changed(("federal_csi", "percentile_at_most", "5.5")), "must be a whole number"),
    (without("federal_csi", "share_of_title_i_schools"), "rule federal_csi, parameter share_of_title_i_schools"),
    (changed(("title_i_status", "Title I School", "perhaps")), "is not one of no, yes"),
    (changed(("target_step", "history", "after")), "'after' is not one of before, during"),
    (added("target_step", "maximum", "9", "policy_targets.csv"), "parameter 'maximum' of target_step is not known"),
    (added("federal_usi", "x", "9", "policy_classification.csv"), "rule 'federal_usi' is not known"),
    (added("classification", "mood", "9", "policy_classification.csv"), "'mood' of classification is not known"),
]


@pytest.mark.parametrize(("register", "fragment"), BAD, ids=[fragment for _, fragment in BAD])
def test_a_missing_or_contradicting_row_is_named_before_any_data(register: Register, fragment: str) -> None:
    with pytest.raises(InputError) as error:
        load_determination_rules(register, 2025)
    assert fragment in str(error.value)
    assert "policy" in str(error.value)


def test_every_row_is_read() -> None:
    check_read(REGISTER)


# Kinds of schools


@pytest.mark.parametrize(
    ("lowest", "highest", "expected"),
    [
        ("KF", "05", {"non_high"}),
        ("PK", "02", {"non_high"}),
        ("06", "08", {"non_high"}),
        ("09", "12", {"high"}),
        ("10", "SP", {"high"}),
        ("08", "09", {"non_high", "high"}),
        ("07", "12", {"non_high", "high"}),
        ("KF", "12", {"non_high", "high"}),
    ],
)
def test_the_grades_served_make_a_school_high_non_high_or_both(lowest: str, highest: str, expected: set[str]) -> None:
    assert served_gradespans(REGISTER, 2025, lowest, highest) == expected


def test_grades_that_make_no_sense_are_named() -> None:
    with pytest.raises(InputError, match="grade '13' is in no row of served_grades"):
        served_gradespans(REGISTER, 2025, "KF", "13")
    with pytest.raises(InputError, match="lowest_grade 08 is above highest_grade 05"):
        served_gradespans(REGISTER, 2025, "08", "05")


# Levels of 2017


@pytest.mark.parametrize(
    ("level", "overall", "reason"),
    [
        ("level_1", "Not requiring assistance or intervention", "Meeting targets"),
        ("level_2", "Not requiring assistance or intervention", "Partially meeting targets"),
        ("level_3", "Requiring assistance or intervention", "In need of focused/targeted support"),
        ("level_4", "Requiring assistance or intervention", "In need of broad/comprehensive support"),
        ("level_5", "Requiring assistance or intervention", "In need of broad/comprehensive support"),
        ("insufficient_data", "Insufficient data", "Insufficient data"),
    ],
)
def test_a_level_of_2017_in_the_words_of_2018(level: str, overall: str, reason: str) -> None:
    category = category_of_level(REGISTER, level)
    assert (category.overall, category.reason) == (overall, reason)
    assert category.rows[0].status == "inferred"


def test_there_is_no_sixth_level() -> None:
    with pytest.raises(InputError, match="level 'level_6' is not one of level_1"):
        category_of_level(REGISTER, "level_6")


@pytest.mark.parametrize(
    ("year", "word"),
    [(2018, "School of recognition"), (2025, "School of recognition"), (2026, "School of Recognition")],
)
def test_the_word_for_recognition_changes_its_spelling_in_2026(year: int, word: str) -> None:
    assert REGISTER.row(year, "reason_word", "recognition").value == word
