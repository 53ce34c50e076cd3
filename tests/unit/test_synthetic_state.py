"""The generated state: every kind of school a rule can stumble over, and students who live on from year to year."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.intake.contracts import load_contracts
from orchestration.synthetic import generate

PROJECT = Path(__file__).resolve().parents[2]
CONTRACTS = load_contracts(PROJECT / "raw" / "contracts")
YEARS = (2018, 2019, 2020, 2021, 2022)
GROUPS = {
    "all": "true",
    "low_income": "low_income = '01'",
    "english": "english_learner = '01' or former_english_learner = '1'",
    "disability": "disability <> '500'",
    "high_needs": "low_income = '01' or english_learner = '01' or former_english_learner = '1' or disability <> '500'",
    "White": "race_ethnicity = '01'",
    "Black": "race_ethnicity = '02'",
    "Asian": "race_ethnicity = '03'",
    "Multi": "race_ethnicity between '06' and '31'",
    "Hispanic": "race_ethnicity >= '32'",
}


class State:
    """Generated deliveries as tables: `sims_october_1`, `mcas`, … over all years, `tested` joins mcas with sims."""

    def __init__(self, out: Path, students: int, years: tuple[int, ...], seed: int = 7) -> None:
        generate(out, students=students, years=years, seed=seed, contracts=CONTRACTS)
        self.database = duckdb.connect()
        for stem in {path.stem for path in out.rglob("*.csv")}:
            files = f"read_csv('{out}/*/{stem}.csv', all_varchar = true)"
            self.database.execute(f"create table {stem} as from {files}")
        self.database.execute(
            "create table tested as select m.*, s.* exclude (school_year, sasid, school_code, grade) from mcas m "
            "left join sims_end_of_year s using (school_year, sasid, school_code)"
        )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.database.execute(query).fetchall()

    def value(self, query: str) -> Any:
        return self.rows(query)[0][0]

    def by_year(self, query: str) -> dict[int, float]:
        return {int(year): float(value) for year, value in self.rows(query)}


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> State:
    return State(tmp_path_factory.mktemp("state"), 20_000, YEARS)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> State:
    return State(tmp_path_factory.mktemp("small"), 2_000, (2022, 2023, 2024), seed=1)


def test_identifiers_are_ten_digits_and_begin_with_1(state: State) -> None:
    assert state.value("select count(*) from sims_end_of_year where not regexp_full_match(sasid, '1[0-9]{9}')") == 0


# Shape


@pytest.mark.parametrize("fixture", ["state", "small"])
def test_every_awkward_school_is_there(fixture: str, request: pytest.FixtureRequest) -> None:
    found: State = request.getfixturevalue(fixture)
    spans = {
        (kind, low, high)
        for kind, low, high in found.rows(
            "select distinct school_type, lowest_grade, highest_grade from organisations where org_type = 'school'"
        )
    }
    grades = {(low, high) for _, low, high in spans}
    assert {("06", "08"), ("09", "12"), ("07", "12"), ("PK", "02")} <= grades
    assert {low for low, high in grades if high == "05"} & {"PK", "KF"}
    assert {low for low, high in grades if high == "08"} & {"PK", "KF"}
    assert ("KF", "12") in grades
    assert ("vocational", "09", "12") in spans
    assert {kind for kind, *_ in spans} == {"public", "charter", "vocational", "academic_regional", "virtual"}
    alone = "select district_code from organisations where org_type = 'school' and school_type = 'charter' and "
    alone += "school_year = (select max(school_year) from organisations) group by 1 having count(*) > 1"
    assert found.rows(alone) == []
    with_students = "select distinct school_year, school_code from sims_october_1"
    years = [y for (y,) in found.rows("select distinct school_year from organisations order by 1")]
    opened = found.rows(f"select org_code, opened_year from organisations where opened_year > '{years[0]}'")
    closed = found.rows(f"select org_code, closed_year from organisations where closed_year < '{years[-1]}'")
    assert opened
    assert closed
    for code, year in opened:
        assert {y for y, s in found.rows(with_students) if s == code} == {y for y in years if y >= year}
    for code, year in closed:
        assert {y for y, s in found.rows(with_students) if s == code} == {y for y in years if y <= year}


@pytest.mark.parametrize("fixture", ["state", "small"])
def test_every_organisation_can_be_given_a_region(fixture: str, request: pytest.FixtureRequest) -> None:
    found: State = request.getfixturevalue(fixture)
    lost = "select count(*) from organisations where org_type <> 'state' and county is null and former_center is null"
    assert found.value(lost) == 0
    assert found.value("select count(*) from organisations where county is null and former_center is not null") > 0
    assert found.value("select count(*) from organisations where county is not null and former_center is null") > 0


@pytest.mark.parametrize("seed", range(6))
def test_schools_below_at_and_just_under_the_minimum_n(tmp_path: Path, seed: int) -> None:
    found = State(tmp_path, 2_000, (2022, 2023), seed=seed)
    counted = "grade <= '08' and ela_test_status = 'T' and math_test_status = 'T'"
    counted += " and enrolled_since_october = '1' and el_first_year = '00'"
    for year in (2022, 2023):
        tested = f"select school_code, count(*) n from tested where {counted} and school_year = '{year}'"
        sizes = [
            n
            for group in ("all", "high_needs", "low_income", "english", "disability")
            for _, n in found.rows(f"{tested} and ({GROUPS[group]}) group by 1")
        ]
        assert 19 in sizes
        assert 20 in sizes
        every = f"select school_code, count(*) from tested where school_year = '{year}' group by 1 having count(*) < 20"
        assert len(found.rows(every)) >= 2


def test_some_groups_of_a_school_miss_the_participation_rate(state: State) -> None:
    rates = state.rows(
        "select avg((ela_test_status in ('T', 'NTL'))::int) from tested where grade <= '08' and low_income = '01' "
        "group by school_code, school_year having count(*) >= 20"
    )
    assert 0 < sum(rate < 0.945 for (rate,) in rates) < len(rates) / 2


# Students over time


def test_most_students_go_up_a_grade_and_keep_who_they_are(state: State) -> None:
    pairs = state.rows(
        "select a.grade, b.grade, a.race_ethnicity = b.race_ethnicity, a.disability <> '500', b.disability <> '500', "
        "a.low_income = b.low_income, a.school_code = b.school_code, count(*) from sims_october_1 a "
        "join sims_october_1 b on a.sasid = b.sasid and b.school_year::int = a.school_year::int + 1 group by all"
    )
    total = sum(n for *_, n in pairs)
    ladder = ["PK", "KF", *(f"{g:02d}" for g in range(1, 13)), "SP"]

    def rung(grade: str) -> int:
        return ladder.index("KF" if grade == "KP" else grade)

    steps = {step: sum(n for a, b, *_, n in pairs if rung(b) - rung(a) == step) / total for step in range(-14, 15)}
    assert steps[1] > 0.97
    assert 0.002 < steps[0] < 0.03
    assert sum(steps[s] for s in steps if s < 0 or s > 1) < 0.002
    assert all(same for _, _, same, *_ in pairs)
    assert sum(n for *_, a, b, _, _, n in pairs if a and not b) / total < 0.02
    assert sum(n for *_, same, _, n in pairs if same) / total > 0.88
    assert 0.6 < sum(n for *_, same, n in pairs if same) / total < 0.9
    assert total / (state.value("select count(*) from sims_october_1") * 0.8) > 0.85


def test_reclassified_students_count_as_former_for_four_years(state: State) -> None:
    history = state.rows(
        "select sasid, list(english_learner || former_english_learner order by school_year) from sims_october_1 "
        "group by 1 having count(*) = 5 and list_contains(list(english_learner || former_english_learner), '001')"
    )
    lengths = set()
    for _, years in history:
        joined = "".join({"010": "E", "001": "F", "000": "-"}[y] for y in years)
        assert "FE" not in joined
        assert "-F" not in joined
        lengths.add(joined.count("F"))
        if "E" in joined and joined.endswith("-"):
            assert joined.count("F") == 4
    assert max(lengths) == 4


def test_growth_percentiles_need_an_earlier_score(state: State) -> None:
    assert state.value("select count(ela_growth_percentile) from mcas where grade in ('03', '09')") == 0
    without = state.value(
        "select count(*) from mcas m where grade between '04' and '08' and ela_growth_percentile is not null and "
        "school_year = '2019' and not exists (from mcas p where p.sasid = m.sasid and p.school_year < '2019' "
        "and p.ela_scaled_score is not null)"
    )
    assert without / state.value("select count(*) from mcas where school_year = '2019'") < 0.02
    means = state.rows(
        "select avg(ela_growth_percentile::int) from mcas group by school_year, grade "
        "having count(ela_growth_percentile) > 0"
    )
    assert all(mean == pytest.approx(50, abs=0.6) for (mean,) in means)
    schools = [
        mean
        for (mean,) in state.rows(
            "select avg(math_growth_percentile::int) from mcas where grade < '09' group by school_code, school_year "
            "having count(math_growth_percentile) >= 40"
        )
    ]
    assert min(schools) < 40
    assert max(schools) > 60


def test_a_move_during_the_year_gives_a_row_in_each_school(state: State) -> None:
    assert state.value("select max(n) from (select count(*) n from sims_end_of_year group by school_year, sasid)") == 2
    moves = state.rows(
        "select a.days_in_membership::int + b.days_in_membership::int, a.enrolled_since_october, "
        "b.enrolled_since_october from sims_end_of_year a join sims_end_of_year b using (school_year, sasid) "
        "where a.enrollment_status = '20' and b.school_code <> a.school_code and b.enrollment_status <> '20'"
    )
    assert len(moves) == state.value("select count(*) from sims_end_of_year where enrollment_status = '20'") > 1000
    assert max(days for days, *_ in moves) <= 180
    assert {b for *_, b in moves} == {"0"}


def test_days(state: State) -> None:
    days = "select min(days_in_membership::int), max(days_in_membership::int), "
    days += "sum((days_in_membership::int < 20)::int), min(days_in_attendance::int) from sims_end_of_year"
    shortest, longest, short, attended = state.rows(days)[0]
    assert (shortest > 0, longest, attended >= 0) == (True, 180, True)
    assert short > 50
    above = "days_in_attendance::int > days_in_membership::int"
    assert state.value(f"select count(*) from sims_end_of_year where {above}") == 0
    for column in ("days_in_attendance", "days_in_membership", "enrolled_since_october"):
        assert state.value(f"select count({column}) from sims_october_1") == 0


def test_dropouts_leave_and_cohorts_remember_them(state: State) -> None:
    listed = set(state.rows("select school_year, sasid, school_code, reason from dropouts"))
    assert listed == set(
        state.rows(
            "select school_year, sasid, school_code, enrollment_status from sims_end_of_year "
            "where enrollment_status like '3_'"
        )
    )
    later = (
        "select count(*) from dropouts d join sims_october_1 s on d.sasid = s.sasid and s.school_year > d.school_year"
    )
    assert state.value(later) == 0
    known = "select count(*) from graduation_cohorts c join dropouts d using (sasid) where c.cohort_span = '4' "
    known += "and c.outcome not in ('dropout', 'equivalency') and d.school_year <= c.school_year"
    assert state.value(known) == 0
    graduates = "select school_year, sasid from {} where {}"
    of_cohort = set(state.rows(graduates.format("graduation_cohorts", "cohort_span = '4' and outcome = 'graduated'")))
    assert of_cohort <= set(state.rows(graduates.format("sims_end_of_year", "enrollment_status = '04'")))
    assert (
        state.value(
            "select count(*) from graduation_cohorts where cohort_span = '5' "
            "and cohort_year::int <> school_year::int - 1"
        )
        == 0
    )
