"""The indicator tables the way an analyst would write them in pandas: every indicator, both tables.

    python -m benchmarks.pandas_tables --home HOME --year 2025 --out FOLDER [--check TABLES]

Takes the same arguments as `benchmarks.floor`. Needs pandas and pyarrow; pandas is no dependency of the project, so any
interpreter that has them will do. Belongs here: straightforward data frames, a group at a time. Does not: tricks.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.tables import COURSES, command

ORG = ["org_code", "gradespan"]
RACES = ["white", "black", "asian", "american_indian", "pacific_islander", "multi_race", "hispanic"]
GROUPS = ["all_students", "high_needs", "low_income", "el_and_former_el", "students_with_disabilities", *RACES]
SUBJECTS = ["ela", "math", "science"]
FIGURES = ["ela_achievement", "math_achievement", "science_achievement", "ela_growth", "math_growth"]
ENROLMENT = ["sasid", "school_code", "grade", "collection_period"]
ATTRIBUTES = [
    "race_ethnicity",
    "low_income",
    "english_learner",
    "former_english_learner",
    "disability",
    "el_first_year",
]
SCORES = [
    *(f"{subject}_scaled_score" for subject in SUBJECTS),
    *(
        "ela_growth_percentile",
        "math_growth_percentile",
        "science_highest_legacy_score",
        "science_highest_scaled_score",
    ),
]
STATUSES = [f"{subject}_{column}" for subject in SUBJECTS for column in ("test_status", "attempt")]
NUMBERS = {*SCORES, "days_in_membership", "days_in_attendance", "cohort_year"}
COLUMNS = {
    "sims": [*ENROLMENT, *ATTRIBUTES, "enrollment_status", "enrolled_since_october", "days_in_membership",
             "days_in_attendance"],
    "sims_prior": [*ENROLMENT, *ATTRIBUTES],
    "mcas": ["sasid", "school_code", "grade", *STATUSES, *SCORES],
    "mcas_prior": ["sasid", "school_code", "grade", *STATUSES, *SCORES],
    "access": ["sasid", "school_code", "grade", "test_status", "made_progress"],
    "access_prior": ["sasid", "test_status"],
    "course_schedules": ["sasid", "subject_course_code", "enrollment_status"],
    "organisations": ["org_code", "org_type"],
    "dropouts": ["sasid", "school_code"],
    "graduation_cohorts": ["sasid", "school_code", "cohort_span", "cohort_year", "outcome", "race_ethnicity",
                           "low_income", "english_learner", "disability"],
}  # fmt: skip


def read(name: str, paths: list[str]) -> pd.DataFrame:
    """One collection; from CSV everything is text but the numbers."""
    columns = COLUMNS[name]
    if paths[0].endswith(".parquet"):
        return pd.concat([pd.read_parquet(path, columns=columns) for path in paths], ignore_index=True)
    kinds = {column: "Int64" if column in NUMBERS else "str" for column in columns}
    return pd.concat([pd.read_csv(path, usecols=columns, dtype=kinds) for path in paths], ignore_index=True)


def gradespan(grade: pd.Series) -> pd.Series:
    """`non_high`, `high`, or missing."""
    span = pd.Series(None, index=grade.index, dtype="str")
    span[grade.between("01", "08")] = "non_high"
    span[grade.between("09", "12")] = "high"
    return span


def district(school: pd.Series) -> pd.Series:
    """District of a school."""
    return school.str[:4] + "0000"


def levels(frame: pd.DataFrame) -> pd.DataFrame:
    """Every row at its school, its district and the state."""
    return pd.concat(
        [
            frame.assign(org_code=frame.school_code),
            frame.assign(org_code=district(frame.school_code)),
            frame.assign(org_code="00000000"),
        ],
        ignore_index=True,
    )


def org_type(code: pd.Series) -> np.ndarray:
    """Level of an organisation."""
    return np.where(code == "00000000", "state", np.where(code.str[4:] == "0000", "district", "school"))


def with_groups(students: pd.DataFrame) -> pd.DataFrame:
    """A flag for each student group, from race_ethnicity and the three flags."""
    students["all_students"] = True
    students["high_needs"] = students.low_income | students.el_and_former_el | students.students_with_disabilities
    race = students.race_ethnicity.astype(int)
    number = np.where(race >= 32, 7, np.minimum(race, 6))
    for i, name in enumerate(RACES, 1):
        students[name] = number == i
    return students[["sasid", *GROUPS, *(["first_year"] if "first_year" in students else [])]]


def students_of(sims: pd.DataFrame) -> pd.DataFrame:
    """One row a student: the latest period, then the highest school."""
    order = sims.collection_period.map({"october_1": 1, "march_1": 2, "end_of_year": 3})
    last = sims.assign(order=order).sort_values(["order", "school_code"]).drop_duplicates("sasid", keep="last")
    return with_groups(
        last.assign(
            low_income=last.low_income == "01",
            el_and_former_el=(last.english_learner == "01") | (last.former_english_learner == "1"),
            students_with_disabilities=last.disability != "500",
            first_year=last.el_first_year == "01",
        )
    )


def by_group(
    counted: pd.DataFrame, students: pd.DataFrame, keys: list[str], **figures: tuple[str, str]
) -> pd.DataFrame:
    """Aggregate `figures` over the students of each group in turn."""
    merged = counted.merge(students, on="sasid")
    return pd.concat(
        [merged[merged[g]].groupby(keys).agg(**figures).reset_index().assign(student_group=g) for g in GROUPS],
        ignore_index=True,
    )


def rate(counted: pd.DataFrame, students: pd.DataFrame, indicator: str, lag: int) -> pd.DataFrame:
    """Students who met it and students who count."""
    figures = by_group(counted, students, ORG, numerator=("is_met", "sum"), denominator=("is_met", "count"))
    return figures.assign(indicator=indicator, measure="percent", lag=lag)


def full_year(mcas: pd.DataFrame, sims: pd.DataFrame, orgs: pd.DataFrame, students: pd.DataFrame) -> pd.DataFrame:
    """Students whose results count, at each place, with their results."""
    tested = mcas.merge(students.loc[~students.first_year, ["sasid"]], on="sasid")
    tested["gradespan"], tested["district_code"] = gradespan(tested.grade), district(tested.school_code)
    end = sims[(sims.collection_period == "end_of_year") & (sims.enrolled_since_october == "1")]
    october = sims[sims.collection_period == "october_1"].assign(district_code=lambda s: district(s.school_code))
    october = october[["sasid", "district_code"]].drop_duplicates()
    tested = tested.merge(end[["sasid", "school_code"]].assign(in_school=True), on=["sasid", "school_code"], how="left")
    tested = tested.merge(october.assign(in_district=True), on=["sasid", "district_code"], how="left")
    schools = district(orgs[orgs.org_type == "school"].org_code).value_counts()
    everyone = tested.district_code.isin(schools[schools == 1].index)
    in_school = tested.in_school.notna() | everyone
    in_district = tested.in_district.notna() | in_school
    return pd.concat(
        [
            tested[in_school].assign(org_code=lambda t: t.school_code),
            tested[in_district].assign(org_code=lambda t: t.district_code),
            tested.assign(org_code="00000000"),
        ],
        ignore_index=True,
    )


def results(mcas: pd.DataFrame) -> pd.DataFrame:
    """Scores and growth percentiles that count, missing elsewhere; and whether the grade has ELA and mathematics."""
    has_test = mcas.grade.between("03", "08") | (mcas.grade == "10")
    made = mcas[["sasid", "school_code", "grade"]].assign(has_test=has_test)
    for subject in ("ela", "math"):
        counts = has_test & (mcas[f"{subject}_test_status"] == "T")
        made[f"{subject}_achievement"] = mcas[f"{subject}_scaled_score"].where(counts)
        made[f"{subject}_growth"] = mcas[f"{subject}_growth_percentile"].where(counts & (mcas.grade != "03"))
    science = mcas.science_scaled_score.where(mcas.grade.isin(["05", "08", "10"]) & (mcas.science_test_status == "T"))
    best = mcas.science_highest_scaled_score.where(mcas.grade == "10")
    made["science_achievement"] = best.fillna(science)
    return made


def lowest_performing(counted: pd.DataFrame, last_year: pd.DataFrame) -> pd.DataFrame:
    """Rows of `counted` that belong to the lowest quarter of their organisation and grade."""
    last = last_year[["sasid", "school_code"]].assign(
        **{s: last_year[f"{s}_scaled_score"].where(last_year[f"{s}_test_status"] == "T") for s in ("ela", "math")}
    )
    counted = counted[counted.has_test]
    non_high = counted[counted.gradespan == "non_high"].merge(
        levels(last).drop(columns="school_code"), on=["sasid", "org_code"]
    )
    high = counted[counted.gradespan == "high"].assign(
        ela=lambda c: c.ela_achievement, math=lambda c: c.math_achievement
    )
    candidates = pd.concat([non_high, high], ignore_index=True)
    candidates["figure"] = candidates.ela.fillna(candidates.math) + candidates.math.fillna(candidates.ela)
    candidates = candidates[candidates.figure.notna()]
    of_grade = candidates.groupby(["org_code", "grade"]).figure
    return candidates[4 * of_grade.rank(method="min") <= of_grade.transform("size")]


def means(summed: pd.DataFrame) -> pd.DataFrame:
    """Sums and counts of the five figures side by side, as a row each."""
    rows = []
    for figure in FIGURES:
        one = summed[[*ORG, "student_group"]].assign(
            numerator=summed[f"{figure}_sum"], denominator=summed[f"{figure}_count"], indicator=figure, lag=0,
            measure="mean_sgp" if figure.endswith("growth") else "scaled_score",
        )  # fmt: skip
        rows.append(one[one.denominator > 0])
    return pd.concat(rows, ignore_index=True)


def absences(sims: pd.DataFrame) -> pd.DataFrame:
    """Students with enough days at a place, and whether they were absent a tenth of them."""
    end = sims[sims.collection_period == "end_of_year"].assign(gradespan=lambda s: gradespan(s.grade))
    end["absent"] = end.days_in_membership - end.days_in_attendance
    days = levels(end[["sasid", "school_code", "gradespan", "days_in_membership", "absent"]])
    days = days.groupby([*ORG, "sasid"])[["days_in_membership", "absent"]].sum().reset_index()
    days = days[days.days_in_membership >= 20]
    return days.assign(is_met=10 * days.absent >= days.days_in_membership)[[*ORG, "sasid", "is_met"]]


def participation(mcas: pd.DataFrame, students: pd.DataFrame, access: pd.DataFrame) -> pd.DataFrame:
    """Who should have been tested and who was, by organisation, group and subject."""
    best = mcas.science_highest_legacy_score.fillna(mcas.science_highest_scaled_score)
    mcas = mcas.assign(best=best).merge(students[["sasid", "first_year"]], on="sasid")
    through_access = mcas.first_year & mcas.sasid.isin(access[access.test_status == "T"].sasid)
    rows = []
    for subject in SUBJECTS:
        has_test = mcas.grade.isin(["05", "08", "10"]) if subject == "science" else mcas.grade.isin(
            ["03", "04", "05", "06", "07", "08", "10"])  # fmt: skip
        is_best = (mcas.grade == "10") & (subject == "science")
        status, attempt = mcas[f"{subject}_test_status"], mcas[f"{subject}_attempt"]
        tested = (is_best & mcas.best.notna()) | ((status == "T") & (attempt != "N"))
        left_out = ~tested & (status.isin(["TR", "NTM"]) | (status.isna() & ~is_best))
        one = mcas[["sasid", "school_code"]].assign(
            subject=subject, gradespan=gradespan(mcas.grade), tested=tested | through_access
        )
        rows.append(one[has_test & ~left_out])
    everywhere = levels(pd.concat(rows, ignore_index=True))
    return by_group(everywhere, students, [*ORG, "subject"], should_test=("tested", "count"), tested=("tested", "sum"))


def half_up(times: int | pd.Series, numerator: pd.Series, denominator: pd.Series) -> pd.Series:
    """`times` x numerator / denominator as a whole number, half up, in whole-number arithmetic."""
    return (2 * times * numerator + denominator) // (2 * denominator)


def indicator_figures(data: dict[str, pd.DataFrame], students: pd.DataFrame, year: int) -> pd.DataFrame:
    """Numerator and denominator of every indicator."""
    sims, prior, access = data["sims"], data["sims_prior"], data["access"]
    counted = full_year(results(data["mcas"]), sims, data["organisations"], students)
    sums = {f"{f}_{how}": (f, how) for f in FIGURES for how in ("sum", "count")}
    absent = absences(sims)
    lowest = lowest_performing(counted, data["mcas_prior"])
    of_lowest = means(lowest.groupby(ORG).agg(**sums).reset_index().assign(student_group="lowest_performing"))
    has_science = (of_lowest.gradespan == "high") & (org_type(of_lowest.org_code) == "school")
    of_lowest = of_lowest[(of_lowest.indicator != "science_achievement") | has_science]
    absent_lowest = lowest[[*ORG, "sasid"]].merge(absent, on=[*ORG, "sasid"]).groupby(ORG).is_met.agg(["sum", "count"])
    absent_lowest = absent_lowest.reset_index().rename(columns={"sum": "numerator", "count": "denominator"}).assign(
        student_group="lowest_performing", indicator="chronic_absenteeism", measure="percent", lag=0)  # fmt: skip

    learners = access[(access.test_status == "T") & access.made_progress.notna()]
    learners = learners.assign(gradespan=gradespan(learners.grade), is_met=learners.made_progress == "1")

    upper = sims[(sims.collection_period == "end_of_year") & sims.grade.isin(["11", "12"])]
    upper = levels(upper[upper.enrollment_status.isin(["01", "04"])][["sasid", "school_code"]])
    upper = upper.drop_duplicates(["org_code", "sasid"])
    courses = data["course_schedules"]
    courses = courses[courses.enrollment_status == "COM"]
    advanced = courses[courses.subject_course_code.isin(pd.read_csv(COURSES, dtype="str").subject_course_code)].sasid
    upper = upper.assign(gradespan="high", is_met=upper.sasid.isin(advanced))

    enrolled = prior[(prior.collection_period == "october_1") & (gradespan(prior.grade) == "high")]
    enrolled = levels(enrolled[["sasid", "school_code"]]).drop_duplicates(["org_code", "sasid"])
    left = levels(data["dropouts"])[["org_code", "sasid"]].assign(left=True)
    enrolled = enrolled.merge(left, on=["org_code", "sasid"], how="left")
    enrolled = enrolled.assign(gradespan="high", is_met=enrolled.left.notna())

    cohorts = data["graduation_cohorts"]
    cohorts["sasid"] = cohorts.cohort_span + "-" + cohorts.cohort_year.astype(str) + "-" + cohorts.sasid
    cohort_students = with_groups(
        cohorts.assign(
            low_income=cohorts.low_income == "1",
            el_and_former_el=cohorts.english_learner == "1",
            students_with_disabilities=cohorts.disability == "1",
        )
    )
    cohorts["gradespan"] = "high"
    cohorts = cohorts[["sasid", "school_code", "gradespan", "cohort_span", "cohort_year", "outcome"]]
    four = cohorts[(cohorts.cohort_span == "4") & (cohorts.cohort_year == year - 1)]
    five = cohorts[(cohorts.cohort_span == "5") & (cohorts.cohort_year == year - 2)]
    four = four.assign(is_met=four.outcome == "graduated")
    five = five.assign(is_met=five.outcome.isin(["graduated", "still_enrolled"]))
    return pd.concat(
        [
            means(by_group(counted, students, ORG, **sums)),
            of_lowest,
            absent_lowest,
            rate(absent, students, "chronic_absenteeism", 0),
            rate(levels(learners), students, "el_progress", 0),
            rate(upper, students, "advanced_coursework", 0),
            rate(enrolled, students_of(prior), "annual_dropout", 1),
            rate(levels(four), cohort_students, "four_year_graduation", 1),
            rate(levels(five), cohort_students, "extended_engagement", 2),
        ],
        ignore_index=True,
    )


def write(table: pd.DataFrame, fields: dict[str, pa.DataType], path: Path) -> None:
    """Write a table in a fixed order of rows and columns."""
    table = table[list(fields)].sort_values(list(fields)[:6])
    pq.write_table(pa.Table.from_pandas(table, pa.schema(fields), preserve_index=False), path, compression="zstd")


def make(files: dict[str, list[str]], year: int, out: Path) -> None:
    """Both tables of a year from the files of each collection."""
    data = {name: read(name, paths) for name, paths in files.items()}
    students = students_of(data["sims"])
    table = indicator_figures(data, students, year)
    table[["numerator", "denominator"]] = table[["numerator", "denominator"]].astype("int64")
    is_enough = table.denominator >= 20
    tenths = half_up(
        table.measure.map({"percent": 1000}).fillna(10).astype("int64"), table.numerator, table.denominator
    )
    table["value"] = [Decimal(t).scaleb(-1) if ok else None for t, ok in zip(tenths, is_enough, strict=True)]
    table["school_year"], table["data_year"], table["n"] = year, year - table.lag, table.denominator
    table["org_type"], table["source"], table["note"] = org_type(table.org_code), "student", None
    table["status"] = np.where(is_enough, "ok", "n_too_small")
    whole, text = pa.int64(), pa.string()
    key = {"school_year": pa.int32(), "org_code": text, "org_type": text, "gradespan": text, "student_group": text}
    write(
        table,
        key | {"indicator": text, "measure": text, "value": pa.decimal128(9, 1), "numerator": whole,
               "denominator": whole, "n": whole, "data_year": pa.int32(), "source": text, "status": text, "note": text},
        out / "indicator_results.parquet",
    )  # fmt: skip

    keys = [*ORG, "student_group", "subject"]
    this = participation(data["mcas"], students, data["access"])
    last = participation(data["mcas_prior"], students_of(data["sims_prior"]), data["access_prior"])
    table = this.merge(last, on=keys, how="left", suffixes=("", "_last"))
    is_enough, has_prior = table.should_test >= 20, table.tested_last.notna()
    table["two_year_should_test"] = (table.should_test + table.should_test_last).astype("Int64")
    table["two_year_tested"] = (table.tested + table.tested_last).astype("Int64")
    table["not_tested"], table["n"] = table.should_test - table.tested, table.should_test
    table["rate"] = half_up(100, table.tested, table.should_test).where(is_enough).astype("Int64")
    table["two_year_rate"] = half_up(100, table.two_year_tested, table.two_year_should_test).where(is_enough)
    table["status"] = np.where(is_enough, "ok", "n_too_small")
    table["two_year_status"] = np.where(~is_enough, "n_too_small", np.where(has_prior, "ok", "no_prior_year"))
    table["school_year"], table["org_type"], table["source"] = year, org_type(table.org_code), "student"
    write(
        table,
        key | {"subject": text, "should_test": whole, "tested": whole, "not_tested": whole, "n": whole,
               "rate": pa.int32(), "status": text, "two_year_should_test": whole, "two_year_tested": whole,
               "two_year_rate": pa.int32(), "two_year_status": text, "source": text},
        out / "participation_results.parquet",
    )  # fmt: skip


if __name__ == "__main__":
    command(__doc__, make)
