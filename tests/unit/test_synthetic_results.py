"""The generated results: like the real state on average, tests and ledgers as each year has them."""

from __future__ import annotations

import pytest

from orchestration.synthetic.anchors import achievement_targets, in_year, load_anchors, load_courses
from tests.unit.test_synthetic_state import GROUPS, YEARS, State


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> State:
    return State(tmp_path_factory.mktemp("results"), 20_000, YEARS)


def test_shares_of_students(state: State) -> None:
    anchors = load_anchors()
    for year in YEARS:
        share = f"select 100 * avg(({{}})::int) from sims_october_1 where school_year = '{year}'"
        assert state.value(share.format("true")) == 100
        low_income = in_year(anchors.groups.low_income.share, year)
        assert state.value(share.format(GROUPS["low_income"])) == pytest.approx(low_income, abs=0.5)
        assert 18.5 < state.value(share.format(GROUPS["disability"])) < 20.5
        assert 9.5 < state.value(share.format("english_learner = '01'")) < 13
        for race in ("White", "Hispanic", "Black", "Asian", "Multi"):
            assert state.value(share.format(GROUPS[race])) == pytest.approx(anchors.groups.race[race], abs=1.5)
    in_2022 = f"select 100 * avg(({GROUPS['high_needs']})::int) from sims_october_1 where school_year = '2022'"
    assert state.value(in_2022) == pytest.approx(56, abs=2)
    size = "select count(*) from sims_october_1 group by school_year"
    assert all(n == pytest.approx(20_000, rel=0.01) for (n,) in state.rows(size))


def test_groups_live_apart(state: State) -> None:
    shares = state.rows(
        f"select avg(({GROUPS['Hispanic']})::int), avg(({GROUPS['low_income']})::int) from sims_october_1 "
        "where school_year = '2022' group by school_code having count(*) >= 100"
    )
    for column in zip(*shares, strict=True):
        assert max(column) > 2.5 * min(column)


@pytest.mark.parametrize("year", [2019, 2022])
@pytest.mark.parametrize(("subject", "span"), [("ela", "non_high"), ("ela", "high"), ("math", "non_high")])
def test_mean_scores_of_groups(state: State, year: int, subject: str, span: str) -> None:
    targets = achievement_targets(load_anchors(), f"{subject}_{span}", year)
    grades = "grade <= '08'" if span == "non_high" else "grade = '10'"
    for group, target in targets.items():
        if group not in GROUPS:
            continue
        mean, n = state.rows(
            f"select avg({subject}_scaled_score::int), count({subject}_scaled_score) from tested where {grades} "
            f"and school_year = '{year}' and el_first_year = '00' and ({GROUPS[group]})"
        )[0]
        if n >= 100:
            assert mean == pytest.approx(target, abs=2.0), group


def test_chronic_absence(state: State) -> None:
    rates = state.by_year(
        "select school_year, 100 * avg((m - a >= 0.1 * m)::int) from (select school_year, sasid, "
        "sum(days_in_membership::int) m, sum(days_in_attendance::int) a from sims_end_of_year "
        "where grade between '01' and '12' group by 1, 2) where m >= 20 group by 1"
    )
    anchors = load_anchors().attendance.chronic
    assert rates == {year: pytest.approx(in_year(anchors, year), abs=1.0) for year in YEARS}


def test_outcomes_of_high_school(state: State) -> None:
    graduated = "select cohort_year, 100 * avg((outcome = 'graduated')::int) from graduation_cohorts "
    graduated += "where cohort_span = '{}' group by 1"
    assert sum(state.by_year(graduated.format(4)).values()) / 5 == pytest.approx(88.3, abs=1.2)
    assert sum(state.by_year(graduated.format(5)).values()) / 5 == pytest.approx(91, abs=1.2)
    grades = "grade in ('09', '10', '11', '12')"
    left = state.value("select count(*) from dropouts") / state.value(
        f"select count(*) from sims_october_1 where {grades}"
    )
    assert 0.014 < left < 0.021


def test_advanced_courses(state: State) -> None:
    codes = ", ".join(f"'{course.code}'" for course in load_courses() if course.advanced)
    share = state.value(
        "select avg(a) from (select sasid, "
        f"max((c.enrollment_status = 'COM' and subject_course_code in ({codes}))::int) a "
        "from course_schedules c join sims_october_1 s using (school_year, sasid) "
        "where s.grade in ('11', '12') group by school_year, sasid)"
    )
    assert share == pytest.approx(0.65, abs=0.02)


def test_access_progress(state: State) -> None:
    made = "select 100 * avg(made_progress::int) from access where school_year = '2022' "
    made += "and grade {} ('09', '10', '11', '12')"
    assert state.value(made.format("not in")) == pytest.approx(50, abs=2.5)
    assert state.value(made.format("in")) == pytest.approx(22, abs=4)
    assert 0.95 < state.value("select avg((test_status = 'T')::int) from access") < 0.99
    assert state.value("select count(made_progress) from access where prior_overall_level is null") == 0
    wrong = "made_progress <> case when overall_level::double >= progress_target::double then '1' else '0' end"
    assert state.value(f"select count(*) from access where {wrong}") == 0


# The tests of each year


def test_legacy_and_new_tests_by_year(state: State) -> None:
    kinds = state.rows(
        "select school_year, grade = '10', ela_assessment, science_assessment, min(ela_scaled_score::int) >= 440 "
        "from mcas where ela_assessment <> 'AL' and grade in ('05', '08', '10') and ela_test_status = 'T' "
        "and science_test_status = 'T' group by 1, 2, 3, 4"
    )
    assert {(int(year), high): (ela, science) for year, high, ela, science, _ in kinds} == {
        (2018, False): ("NG", "LG"),
        (2018, True): ("LG", "LG"),
        (2019, False): ("NG", "NG"),
        (2019, True): ("NG", "LG"),
        (2021, False): ("NG", "NG"),
        (2021, True): ("NG", "LG"),
        (2022, False): ("NG", "NG"),
        (2022, True): ("NG", "NG"),
    }
    assert all(new == (ela == "NG") for _, _, ela, _, new in kinds)
    odd = "ela_scaled_score::int % 2 = 1 or ela_performance_level is not null or ela_performance_other is null"
    assert (
        state.value(f"select count(*) from mcas where ela_assessment = 'LG' and ela_test_status = 'T' and ({odd})") == 0
    )
    linked = "select school_year, grade, count(ela_legacy_equivalent) > 0, count(science_legacy_equivalent) > 0 "
    linked += "from mcas group by 1, 2"
    assert {(y, g) for y, g, ela, _ in state.rows(linked) if ela} == {("2019", "10")}
    assert {(y, g) for y, g, _, science in state.rows(linked) if science} == {("2019", "05"), ("2019", "08")}


def test_levels_follow_scores(state: State) -> None:
    bounds = state.rows(
        "select math_performance_level, min(math_scaled_score::int), max(math_scaled_score::int) from mcas "
        "where math_performance_level is not null group by 1 order by 2"
    )
    assert [level for level, *_ in bounds] == ["NM", "PM", "M", "E"]
    for (_, low, high), (least, most) in zip(bounds, [(440, 469), (470, 499), (500, 529), (530, 560)], strict=True):
        assert least <= low
        assert high <= most


def test_who_is_not_tested(state: State) -> None:
    statuses = dict(
        state.rows("select ela_test_status, count(*) from mcas where grade <> '09' and school_year = '2022' group by 1")
    )
    assert {"T", "NTA", "NTM", "NTL", "NTO"} <= set(statuses)
    total = sum(statuses.values())
    assert 0.005 < (statuses["NTA"] + statuses["NTM"] + statuses["NTO"]) / total < 0.02
    assert state.value("select count(*) from tested where ela_test_status = 'NTL' and el_first_year <> '01'") == 0
    absent = "ela_test_status <> 'T' and (ela_scaled_score is not null or ela_growth_percentile is not null)"
    assert state.value(f"select count(*) from mcas where {absent}") == 0
    alternate = state.rows(
        "select min(math_scaled_score::int), max(math_scaled_score::int), count(math_performance_level), "
        "count(math_growth_percentile), count(distinct math_performance_other) from mcas "
        "where math_assessment = 'AL' and math_test_status = 'T'"
    )[0]
    assert alternate == (440, 480, 0, 0, 5)


def test_best_science_result_stands_with_grade_10(state: State) -> None:
    assert state.value("select count(science_highest_scaled_score) from mcas where grade <> '10'") == 0
    early = (
        "select count(*) from mcas t join mcas n on t.sasid = n.sasid and t.school_year::int = n.school_year::int + 1 "
        "where t.grade = '10' and n.grade = '09' and t.school_year = '2022' and n.science_test_status = 'T' "
        "and n.science_assessment <> 'AL'"
    )
    assert state.value(early) > 50
    assert state.value(f"{early} and t.science_highest_scaled_score is null") == 0
    same = "science_assessment = 'NG' and science_test_status = 'T' "
    same += "and science_highest_scaled_score::int < science_scaled_score::int"
    assert state.value(f"select count(*) from mcas where grade = '10' and {same}") == 0


# Ledgers


def test_staff_and_plans(state: State) -> None:
    pairs = state.rows(
        "select region, count(distinct staff_id) from assistance_staff where role = 'co_director' group by 1"
    )
    assert dict(pairs) == {"Coastal": 2, "West/Central": 2, "Strategic Transformation": 2}
    assert (
        state.value("select count(*) from assistance_staff where role = 'co_director' and district_code <> '00000000'")
        == 0
    )
    over = "select staff_id from assistance_staff where role = 'assistance_lead' group by 1 "
    over += "having count(distinct district_code) > max(capacity::int)"
    assert state.rows(over) == []
    assert set(
        state.rows("select min(capacity), max(capacity) from assistance_staff where role = 'assistance_lead'")
    ) == {("1", "3")}
    stray = "select count(*) from assistance_plans p where not exists (from assistance_staff s "
    stray += "where s.staff_id = p.staff_id and s.district_code = p.district_code)"
    assert state.value(stray) == 0
    astray = (
        "select count(*) from assistance_plans where school_code is not null and school_code[:4] <> district_code[:4]"
    )
    assert state.value(astray) == 0


def test_designations(state: State) -> None:
    receivers = state.rows("select distinct org_code[5:] = '0000' from designations where designation = 'receivership'")
    assert set(receivers) == {(True,), (False,)}
    assert state.value("select count(*) from designations where designation = 'underperforming'") > 0
    assert state.value("select count(effective_until) from designations") > 0
    recognised = state.value("select count(distinct org_code) from recognitions where school_year = '2019'")
    assert recognised >= 0.03 * state.value(
        "select count(*) from organisations where org_type = 'school' and school_year = '2019'"
    )
