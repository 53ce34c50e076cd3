"""Classification in worked examples: each ground at its boundary, then which of them decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from orchestration.determinations.classification import Determination, classify
from orchestration.determinations.classification_rules import classification_rules
from orchestration.determinations.grounds import Facts
from orchestration.determinations.ledgers import Designation, Recognition
from orchestration.determinations.participation import ParticipationCount, ParticipationRate, participation_rates
from orchestration.errors import InputError
from tests.support.determinations import REGISTER, changed

SCHOOL = Facts("00010101", "school", percentile=50, annual=60)
DISTRICT = Facts("00010000", "district", annual=60)
STATE = Facts("00000000", "state", annual=42)
REQUIRING = "Requiring assistance or intervention"
FOCUSED = "In need of focused/targeted support"
BROAD = "In need of broad/comprehensive support"


def determine(facts: Facts, year: int = 2025, **ledgers: list[Designation] | list[Recognition]) -> Determination:
    found, _ = classify(classification_rules(REGISTER, year), [facts], **ledgers)  # type: ignore[arg-type]
    return found[0]


def decided(facts: Facts, year: int = 2025) -> str | None:
    return determine(facts, year).reason


def rate(
    percent: int | None, group: str = "all_students", subject: str = "ela", n: int = 20, two: int | None = None
) -> tuple[ParticipationRate, ...]:
    return (ParticipationRate(group, subject, n, percent, two),)


def designation(
    word: str = "underperforming", start: str = "2016-10-23", end: str | None = None, org: str = SCHOOL.org_code
) -> Designation:
    until = date.fromisoformat(end) if end else None
    return Designation(org, word, date.fromisoformat(start), until, "Commissioner", "results", "letter")


def recognition(ground: str = "high_growth", year: int = 2025, org: str = SCHOOL.org_code) -> Recognition:
    return Recognition(year, org, ground, "Commissioner", "list")


# Bands of the target percentage


@pytest.mark.parametrize(
    ("percent", "reason"),
    [
        (0, "Limited or no progress toward targets"),
        (24, "Limited or no progress toward targets"),
        (25, "Moderate progress toward targets"),
        (49, "Moderate progress toward targets"),
        (50, "Substantial progress toward targets"),
        (74, "Substantial progress toward targets"),
        (75, "Meeting or exceeding targets"),
        (100, "Meeting or exceeding targets"),
    ],
)
def test_bands_from_2019(percent: int, reason: str) -> None:
    found = determine(replace(SCHOOL, annual=percent))
    assert found.overall_classification == "Not requiring assistance or intervention"
    assert (found.reason, found.decided_by) == (reason, "progress")


@pytest.mark.parametrize(
    ("percent", "reason"),
    [(74, "Partially meeting targets"), (75, "Meeting targets"), (0, "Partially meeting targets")],
)
def test_two_bands_in_2018(percent: int, reason: str) -> None:
    assert decided(replace(SCHOOL, annual=percent), 2018) == reason


def test_the_cumulative_percentage_goes_before_the_annual_one() -> None:
    assert decided(replace(SCHOOL, annual=30, cumulative=50)) == "Substantial progress toward targets"


def test_how_far_it_is_to_the_next_band() -> None:
    ground = next(g for g in determine(replace(SCHOOL, annual=74)).grounds if g.test == "progress")
    assert (ground.checks[0].figure, ground.checks[0].threshold, ground.checks[0].distance) == (74, 75, -1)


# Grounds for focused/targeted support


@pytest.mark.parametrize(("percentile", "met"), [(1, True), (10, True), (11, False), (99, False)])
def test_the_lowest_ten_percent(percentile: int, met: bool) -> None:
    found = determine(replace(SCHOOL, percentile=percentile))
    assert (found.reason == FOCUSED) == met
    ground = next(g for g in found.grounds if g.test == "percentile")
    assert (ground.met, ground.checks[0].distance) == (met, percentile - 10)


@pytest.mark.parametrize(("percentile", "met"), [(5, True), (6, False)])
def test_a_group_among_the_lowest_five_percent_of_its_group(percentile: int, met: bool) -> None:
    found = determine(replace(SCHOOL, group_percentiles={"white": 40, "asian": percentile, "black": None}))
    assert (found.reason == FOCUSED) == met
    assert found.low_performing_groups == (("asian",) if met else ())


@pytest.mark.parametrize("group", ["all_students", "lowest_performing"])
def test_all_students_and_the_lowest_performing_are_no_groups_of_that_test(group: str) -> None:
    assert decided(replace(SCHOOL, group_percentiles={group: 1})) != FOCUSED


@pytest.mark.parametrize(("figure", "met"), [("66.6", True), ("66.7", False)])
def test_the_graduation_rate_of_all_students(figure: str, met: bool) -> None:
    for facts in (SCHOOL, DISTRICT):
        found = determine(replace(facts, graduation_rate=Decimal(figure)))
        assert (found.reason == FOCUSED) == met
    check = next(g for g in found.grounds if g.test == "graduation_rate").checks[0]
    assert check.distance == Decimal(figure) - Decimal("66.7")


@pytest.mark.parametrize(
    ("one", "two", "n", "met"),
    [
        (94, None, 20, True),
        (95, None, 20, False),
        (94, 95, 20, False),  # the better of one and two years counts
        (95, 94, 20, False),
        (94, 94, 20, True),
        (50, 50, 19, False),  # too few students to test
        (None, None, 20, False),
    ],
)
@pytest.mark.parametrize("year", [2018, 2025])
def test_participation(one: int | None, two: int | None, n: int, met: bool, year: int) -> None:
    found = determine(replace(SCHOOL, participation=rate(one, "white", "math", n, two)), year)
    assert (found.reason == FOCUSED) == met
    assert found.low_participation_groups == (("white",) if met else ())


def test_a_group_that_misses_one_subject_is_enough_and_is_listed_once() -> None:
    rates = rate(99) + rate(94, "white", "ela") + rate(93, "white", "math") + rate(10, "lowest_performing")
    found = determine(replace(DISTRICT, participation=rates))
    assert (found.reason, found.low_participation_groups) == (FOCUSED, ("white",))


def test_all_grounds_are_kept_not_only_the_first() -> None:
    facts = replace(
        SCHOOL, percentile=3, group_percentiles={"asian": 2}, graduation_rate=Decimal("50.0"), participation=rate(80)
    )
    met = [ground.test for ground in determine(facts).grounds if ground.met]
    assert met == ["percentile", "group_percentile", "graduation_rate", "participation", "progress"]


def test_districts_are_not_tested_on_percentiles_and_the_state_on_nothing() -> None:
    assert [g.test for g in determine(DISTRICT).grounds][:3] == ["designation", "graduation_rate", "participation"]
    state = determine(replace(STATE, participation=rate(10)), 2018)
    assert state.reason == "Partially meeting targets"


# Designations


@pytest.mark.parametrize("word", ["underperforming", "chronically_underperforming", "receivership"])
@pytest.mark.parametrize("facts", [SCHOOL, DISTRICT])
def test_a_designation_outranks_everything_and_the_band_is_still_shown(word: str, facts: Facts) -> None:
    found = determine(facts, designations=[designation(word, org=facts.org_code)])
    assert (found.overall_classification, found.reason, found.decided_by) == (REQUIRING, BROAD, "designation")
    assert found.progress == "Substantial progress toward targets"


def test_a_designation_stands_without_data() -> None:
    found = determine(Facts(SCHOOL.org_code, "school"), designations=[designation()])
    assert (found.reason, found.progress) == (BROAD, None)


@pytest.mark.parametrize(
    ("start", "end", "counts"),
    [
        ("2016-10-23", None, True),
        ("2016-10-23", "2025-09-29", True),  # its last day is the day of the release
        ("2016-10-23", "2025-09-28", False),  # it has expired
        ("2025-09-29", None, True),
        ("2025-09-30", None, False),  # not yet in force
    ],
)
def test_only_a_designation_in_force_on_the_day_of_release_counts(start: str, end: str | None, counts: bool) -> None:
    found = determine(SCHOOL, designations=[designation(start=start, end=end)])
    assert (found.reason == BROAD) == counts
    assert bool(found.designations) == counts


def test_two_designations_that_contradict_are_an_error() -> None:
    both = [designation("underperforming"), designation("chronically_underperforming")]
    with pytest.raises(InputError, match="00010101 is both underperforming and chronically_underperforming"):
        determine(SCHOOL, designations=both)
    ended = [designation("underperforming", end="2020-10-01"), designation("chronically_underperforming")]
    assert determine(SCHOOL, designations=ended).reason == BROAD
    with_receiver = [designation("receivership"), designation("chronically_underperforming")]
    assert len(determine(SCHOOL, designations=with_receiver).designations) == 2


# Insufficient data


@pytest.mark.parametrize("facts", [replace(SCHOOL, percentile=None), replace(SCHOOL, annual=None)])
def test_a_school_without_a_percentile_or_without_a_target_percentage(facts: Facts) -> None:
    found = determine(facts)
    assert (found.overall_classification, found.reason) == ("Insufficient data", "Insufficient data")


def test_grounds_for_assistance_stand_without_a_percentile() -> None:
    found = determine(replace(SCHOOL, percentile=None, annual=None, graduation_rate=Decimal("40.0")))
    assert (found.reason, found.decided_by) == (FOCUSED, "assistance_grounds")


def test_a_district_needs_a_target_percentage_only() -> None:
    assert decided(DISTRICT) == "Substantial progress toward targets"
    assert decided(replace(DISTRICT, annual=None)) == "Insufficient data"


def test_the_precedence_is_a_policy_row() -> None:
    register = changed(("classification", "precedence", "insufficient_data designation assistance_grounds progress"))
    found, _ = classify(
        classification_rules(register, 2025), [Facts(SCHOOL.org_code, "school")], designations=[designation()]
    )
    assert found[0].reason == "Insufficient data"


# Recognition


def test_recognition_replaces_the_progress_reason() -> None:
    found = determine(SCHOOL, recognitions=[recognition("exceeding_targets"), recognition("high_growth")])
    assert found.overall_classification == "Not requiring assistance or intervention"
    assert (found.reason, found.progress) == ("School of recognition", "Substantial progress toward targets")
    assert " - ".join(found.recognition) == "High Growth - Exceeding Targets"


def test_recognition_of_another_year_or_of_a_school_in_need_changes_nothing() -> None:
    assert determine(SCHOOL, recognitions=[recognition(year=2024)]).reason == "Substantial progress toward targets"
    assert determine(replace(SCHOOL, percentile=9), recognitions=[recognition()]).reason == FOCUSED
    assert determine(replace(SCHOOL, percentile=None), recognitions=[recognition()]).reason == "Insufficient data"


def test_the_policy_may_ask_for_all_three_grounds() -> None:
    rules = classification_rules(changed(("recognition", "grounds_needed", "3")), 2025)
    some = [recognition("high_growth"), recognition("exceeding_targets")]
    assert classify(rules, [SCHOOL], (), some)[0][0].reason == "Substantial progress toward targets"
    assert classify(rules, [SCHOOL], (), [*some, recognition("high_achievement")])[0][0].recognition == (
        "High Achievement",
        "High Growth",
        "Exceeding Targets",
    )


# Single-school districts


def test_a_single_school_district_is_classified_as_its_school() -> None:
    school = replace(SCHOOL, percentile=4)
    district = replace(DISTRICT, only_school=school.org_code)
    found, steps = classify(classification_rules(REGISTER, 2025), [district, school])
    assert [entry.org_code for entry in found] == [district.org_code, school.org_code]
    assert (found[0].reason, found[0].percentile, found[1].percentile) == (FOCUSED, None, 4)
    step = next(step for step in steps if step.key == found[0].key)
    assert step.upstream == (found[1].key,)


def test_a_designation_of_the_single_school_district_itself_comes_first() -> None:
    district = replace(DISTRICT, only_school=SCHOOL.org_code)
    rules = classification_rules(REGISTER, 2025)
    found, _ = classify(rules, [SCHOOL, district], [designation(org=district.org_code)])
    assert [entry.reason for entry in found] == ["Substantial progress toward targets", BROAD]


# 2022, the trace, bad input


def test_2022_has_percentiles_but_no_classification() -> None:
    found = determine(replace(SCHOOL, percentile=3), 2022, designations=[designation()])
    assert (found.overall_classification, found.reason, found.status) == (None, None, "not_applicable")
    assert (found.percentile, len(found.designations)) == (3, 1)


def test_a_step_for_every_ground_and_one_for_the_decision() -> None:
    facts = replace(SCHOOL, percentile=11, progress_keys=("2025/00010101/annual",), participation=rate(97, two=94))
    _, steps = classify(classification_rules(REGISTER, 2025), [facts])
    decision = steps[-1]
    assert decision.key == "2025/00010101/classification"
    assert decision.upstream == tuple(step.key for step in steps[:-1])
    by_test = {step.indicator: step for step in steps[:-1]}
    assert by_test["percentile"].inputs == {
        "checks": (
            {"figure": 11, "threshold": Decimal(10), "distance": Decimal(1), "met": False, "status": "ok"},
        )
    }  # fmt: skip
    assert by_test["percentile"].upstream == ("2025/00010101/percentile/all_students",)
    assert by_test["percentile"].parameters[0].parameter == "at_most"
    assert by_test["progress"].upstream == ("2025/00010101/annual",)
    assert decision.outcome["reason"] == "Substantial progress toward targets"


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ([SCHOOL, SCHOOL], "00010101 stands there twice"),
        ([replace(SCHOOL, percentile=0)], "percentile 0 is outside 1-99"),
        ([replace(SCHOOL, annual=101)], "annual percentage 101 is outside 0-100"),
        ([replace(SCHOOL, graduation_rate=Decimal("100.1"))], "graduation rate 100.1 is outside 0-100"),
        ([replace(SCHOOL, group_percentiles={"asian": 100})], "percentile of asian 100 is outside 1-99"),
        ([replace(SCHOOL, participation=rate(101))], "participation of all_students in ela 101 is outside 0-100"),
        ([replace(SCHOOL, org_type="academy")], "org_type 'academy' is not known"),
        ([replace(DISTRICT, only_school="00010199")], "00010199, the only school of 00010000, has no facts"),
    ],
)
def test_bad_facts_are_named(facts: list[Facts], message: str) -> None:
    with pytest.raises(InputError, match=message):
        classify(classification_rules(REGISTER, 2025), facts)


def test_bad_ledger_rows_are_named() -> None:
    for rows, message in (
        ([designation(org="00990101")], "designations: 00990101 is not an organisation of 2025"),
        ([designation("splendid")], "00010101 splendid from 2016-10-23: not one of"),
        ([designation(end="2016-10-22")], "its last day 2016-10-22 is before its first"),
    ):
        with pytest.raises(InputError, match=message):
            determine(SCHOOL, designations=rows)
    with pytest.raises(InputError, match="ground 'charm' is not one of"):
        determine(SCHOOL, recognitions=[recognition("charm")])
    with pytest.raises(InputError, match="recognitions: 00990101 is not an organisation of 2025"):
        determine(SCHOOL, recognitions=[recognition(org="00990101")])


# Participation rates from counts


def test_rates_of_both_gradespans_together_half_up() -> None:
    counts = [
        ParticipationCount("A", "non_high", "white", "ela", 100, 94, 180, 171),
        ParticipationCount("A", "high", "white", "ela", 100, 95),
    ]
    # One year: 189 of 200 is 94.5, so 95. Two years: 171 and 95 of 280 is 95.
    assert participation_rates(counts, False) == {"A": (ParticipationRate("white", "ela", 200, 95, 95),)}


def test_subjects_together_where_the_policy_says_so() -> None:
    counts = [
        ParticipationCount("A", "high", "white", "ela", 100, 100),
        ParticipationCount("A", "high", "white", "math", 100, 90),
    ]
    assert [r.rate for r in participation_rates(counts, False)["A"]] == [100, 90]
    assert participation_rates(counts, True)["A"] == (ParticipationRate("white", "all", 200, 95, None),)


def test_more_tested_than_there_were_is_an_error() -> None:
    with pytest.raises(InputError, match="A high white ela: 11 tested of 10"):
        participation_rates([ParticipationCount("A", "high", "white", "ela", 10, 11)], False)
