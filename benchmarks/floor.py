"""The floor of the indicator tables: one DuckDB connection, plain SQL, no dbt, no orchestration, nothing checked.

    python -m benchmarks.floor --home HOME --year 2025 --out FOLDER    accepted deliveries of a home
    python -m benchmarks.floor --raw LANDING --year 2025 --out FOLDER  CSV as delivered
    add --check TABLES to compare every cell with the tables that a build wrote

Belongs here: the same two tables in the fewest words that are also quick. Does not: policy. The rules of 2024 and 2025
stand in the SQL as they are, so what the models pay for being general counts against them.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from benchmarks.tables import COURSES, command

MACROS = """
CREATE MACRO gradespan(grade) AS
  CASE WHEN grade BETWEEN '01' AND '08' THEN 'non_high' WHEN grade BETWEEN '09' AND '12' THEN 'high' END;
CREATE MACRO district(school) AS school[:4] || '0000';
CREATE MACRO levels(school) AS [school, district(school), '00000000'];
CREATE MACRO org_type(code) AS
  CASE WHEN code = '00000000' THEN 'state' WHEN code[5:] = '0000' THEN 'district' ELSE 'school' END;
CREATE MACRO half_up(times, n, d) AS (2 * times * n + d) // (2 * d);
-- race group times 8, and a bit each for low income, English learner and disability
CREATE MACRO profile(race, low_income, english_learner, disabled) AS
  (8 * CASE WHEN race >= '32' THEN 7 ELSE least(race::INT, 6) END
    + low_income::INT + 2 * english_learner::INT + 4 * disabled::INT)::UTINYINT;
CREATE TABLE student_groups AS
  SELECT profile::UTINYINT AS profile, unnest(['all_students',
    ['white', 'black', 'asian', 'american_indian', 'pacific_islander', 'multi_race', 'hispanic'][profile // 8],
    CASE WHEN profile % 8 > 0 THEN 'high_needs' END, CASE WHEN profile & 1 > 0 THEN 'low_income' END,
    CASE WHEN profile & 2 > 0 THEN 'el_and_former_el' END,
    CASE WHEN profile & 4 > 0 THEN 'students_with_disabilities' END
  ]) AS student_group
  FROM range(8, 64) AS p(profile);
"""

STUDENTS = """
CREATE TABLE students{prior} AS
SELECT sasid, seen & 127 AS profile, seen > 127 AS is_first_year FROM (
  SELECT sasid, arg_max(
    profile(race_ethnicity, low_income = '01', english_learner = '01' OR former_english_learner = '1',
      disability <> '500') + CASE WHEN el_first_year = '01' THEN 128 ELSE 0 END,
    CASE collection_period WHEN 'end_of_year' THEN '3' WHEN 'march_1' THEN '2' ELSE '1' END || school_code) AS seen
  FROM sims{prior} GROUP BY sasid);
"""

PARTICIPATION = """
CREATE TABLE participation{prior} AS
WITH long AS (
  SELECT school_code, gradespan(grade) AS gradespan, profile, subject, is_best,
    CASE
      WHEN is_best AND best IS NOT NULL THEN 'tested'
      WHEN status = 'T' AND attempt IS DISTINCT FROM 'N' THEN 'tested'
      WHEN status IN ('TR', 'NTM') OR (status IS NULL AND NOT is_best) THEN 'left_out'
      WHEN is_first_year AND sasid IN (SELECT sasid FROM access{prior} WHERE test_status = 'T') THEN 'tested'
      ELSE 'not_tested' END AS meaning
  FROM (
    SELECT *, coalesce(science_highest_legacy_score::INT, science_highest_scaled_score::INT) AS best,
      unnest(['ela', 'math', 'science']) AS subject,
      unnest([ela_test_status, math_test_status, science_test_status]) AS status,
      unnest([ela_attempt, math_attempt, science_attempt]) AS attempt,
      subject = 'science' AND grade = '10' AS is_best
    FROM mcas{prior} JOIN students{prior} USING (sasid)
    WHERE grade BETWEEN '03' AND '08' OR grade = '10')
  WHERE subject <> 'science' OR grade IN ('05', '08', '10')
), by_school AS (
  SELECT school_code, gradespan, profile, subject, count(*) AS should_test, count_if(meaning = 'tested') AS tested
  FROM long WHERE meaning <> 'left_out' GROUP BY ALL
), by_level AS (
  SELECT unnest(levels(school_code)) AS org_code, * FROM by_school
)
SELECT org_code, gradespan, student_group, subject,
  sum(should_test)::BIGINT AS should_test, sum(tested)::BIGINT AS tested
FROM by_level JOIN student_groups USING (profile) WHERE student_group IS NOT NULL GROUP BY ALL;
"""

COUNTED = """
-- Who counts for achievement and growth, and where.
CREATE TABLE counted AS
WITH since_october AS (
  SELECT sasid, school_code FROM sims WHERE collection_period = 'end_of_year' AND enrolled_since_october = '1'
), in_october AS (
  SELECT DISTINCT sasid, district(school_code) AS district_code FROM sims WHERE collection_period = 'october_1'
), single AS (
  SELECT district(org_code) AS district_code FROM organisations WHERE org_type = 'school' GROUP BY 1 HAVING count(*) = 1
)
SELECT m.sasid, m.school_code, m.grade, gradespan(m.grade) AS gradespan, s.profile,
  m.grade BETWEEN '03' AND '08' OR m.grade = '10' AS is_tested_grade,
  CASE WHEN is_tested_grade AND ela_test_status = 'T' THEN ela_scaled_score::INT END AS ela,
  CASE WHEN is_tested_grade AND math_test_status = 'T' THEN math_scaled_score::INT END AS math,
  CASE WHEN m.grade = '10' AND science_highest_scaled_score IS NOT NULL THEN science_highest_scaled_score::INT
    WHEN m.grade IN ('05', '08', '10') AND science_test_status = 'T' THEN science_scaled_score::INT END AS science,
  is_tested_grade AND m.grade <> '03' AS has_growth,
  CASE WHEN has_growth AND ela_test_status = 'T' THEN ela_growth_percentile::INT END AS ela_sgp,
  CASE WHEN has_growth AND math_test_status = 'T' THEN math_growth_percentile::INT END AS math_sgp,
  x.district_code IS NOT NULL OR e.sasid IS NOT NULL AS at_school,
  at_school OR o.sasid IS NOT NULL AS at_district
FROM mcas AS m JOIN students AS s ON m.sasid = s.sasid AND NOT s.is_first_year
LEFT JOIN since_october AS e ON m.sasid = e.sasid AND m.school_code = e.school_code
LEFT JOIN in_october AS o ON m.sasid = o.sasid AND district(m.school_code) = o.district_code
LEFT JOIN single AS x ON district(m.school_code) = x.district_code
WHERE gradespan(m.grade) IS NOT NULL;

CREATE TABLE absent AS
WITH days AS (
  SELECT sasid, unnest(levels(school_code)) AS org_code, gradespan(grade) AS gradespan,
    days_in_membership::INT AS membership, days_in_membership::INT - days_in_attendance::INT AS absent
  FROM sims WHERE collection_period = 'end_of_year' AND gradespan(grade) IS NOT NULL
)
SELECT org_code, gradespan, sasid, 10 * sum(absent) >= sum(membership) AS is_met
FROM days GROUP BY ALL HAVING sum(membership) >= 20;
"""

FACTS = """
CREATE TABLE lowest AS
WITH placed AS (
  SELECT unnest([school_code, district(school_code), '00000000']) AS org_code,
    unnest([at_school, at_district, true]) AS is_here, * FROM counted WHERE is_tested_grade
), candidates AS (
  SELECT p.*, CASE WHEN l.ela_test_status = 'T' THEN l.ela_scaled_score::INT END AS e,
    CASE WHEN l.math_test_status = 'T' THEN l.math_scaled_score::INT END AS m
  FROM placed AS p JOIN mcas_prior AS l ON p.sasid = l.sasid AND list_contains(levels(l.school_code), p.org_code)
  WHERE p.is_here AND p.gradespan = 'non_high'
  UNION ALL SELECT *, ela, math FROM placed WHERE is_here AND gradespan = 'high'
)
SELECT org_code, gradespan, sasid, ela, math, science, ela_sgp, math_sgp
FROM candidates WHERE coalesce(e, m) IS NOT NULL
QUALIFY 4 * rank() OVER (PARTITION BY org_code, grade ORDER BY coalesce(e, m) + coalesce(m, e))
  <= count(*) OVER (PARTITION BY org_code, grade);

CREATE TABLE facts AS
WITH mcas_by_school AS (
  SELECT school_code, gradespan, profile, at_school, at_district, {sums} FROM counted GROUP BY ALL
), mcas_by_level AS (
  SELECT * FROM (
    SELECT unnest(levels(school_code)) AS org_code, unnest([at_school, at_district, true]) AS is_here, *
    FROM mcas_by_school)
  WHERE is_here
), mcas_by_group AS (
  SELECT org_code, gradespan, student_group, {totals}
  FROM mcas_by_level JOIN student_groups USING (profile) GROUP BY ALL
  UNION ALL SELECT org_code, gradespan, 'lowest_performing', {sums} FROM lowest GROUP BY ALL
), mcas_figures AS (
  SELECT org_code, gradespan, student_group, unnest([{names}]) AS indicator,
    unnest([{sum_columns}]) AS numerator, unnest([{count_columns}]) AS denominator
  FROM mcas_by_group
), yes_or_no AS (
  SELECT org_code, gradespan, profile, 'chronic_absenteeism' AS indicator, 0 AS lag,
    count_if(is_met) AS n, count(*) AS d
  FROM absent JOIN students USING (sasid) GROUP BY ALL
  UNION ALL
  SELECT org_code, gradespan(grade), profile, 'el_progress', 0, count_if(made_progress = '1'), count(*)
  FROM (SELECT unnest(levels(school_code)) AS org_code, * FROM access WHERE test_status = 'T')
  JOIN students USING (sasid) WHERE made_progress IS NOT NULL AND gradespan(grade) IS NOT NULL GROUP BY ALL
  UNION ALL
  SELECT org_code, 'high', profile, 'advanced_coursework', 0,
    count_if(sasid IN (SELECT sasid FROM course_schedules JOIN courses USING (subject_course_code)
      WHERE enrollment_status = 'COM')), count(*)
  FROM (SELECT DISTINCT unnest(levels(school_code)) AS org_code, sasid FROM sims
    WHERE collection_period = 'end_of_year' AND grade IN ('11', '12') AND enrollment_status IN ('01', '04'))
  JOIN students USING (sasid) GROUP BY ALL
  UNION ALL
  SELECT org_code, 'high', profile, 'annual_dropout', 1, count(d.sasid), count(*)
  FROM (SELECT DISTINCT unnest(levels(school_code)) AS org_code, sasid FROM sims_prior
    WHERE collection_period = 'october_1' AND gradespan(grade) = 'high')
  JOIN students_prior USING (sasid)
  LEFT JOIN (SELECT unnest(levels(school_code)) AS org_code, sasid FROM dropouts) AS d USING (org_code, sasid)
  GROUP BY ALL
  UNION ALL
  SELECT org_code, 'high', profile(race_ethnicity, low_income = '1', english_learner = '1', disability = '1'),
    CASE cohort_span WHEN '4' THEN 'four_year_graduation' ELSE 'extended_engagement' END, {year} - cohort_year::INT,
    count_if(outcome = 'graduated' OR (cohort_span = '5' AND outcome = 'still_enrolled')), count(*)
  FROM (SELECT unnest(levels(school_code)) AS org_code, * FROM graduation_cohorts)
  WHERE (cohort_span = '4' AND cohort_year::INT = {year} - 1) OR (cohort_span = '5' AND cohort_year::INT = {year} - 2)
  GROUP BY ALL
)
SELECT org_code, gradespan, student_group, indicator, lag, sum(n)::BIGINT AS n, sum(d)::BIGINT AS d
FROM yes_or_no JOIN student_groups USING (profile) GROUP BY ALL
UNION ALL
SELECT org_code, gradespan, 'lowest_performing', 'chronic_absenteeism', 0, count_if(is_met)::BIGINT, count(*)
FROM lowest JOIN absent USING (org_code, gradespan, sasid) GROUP BY ALL
UNION ALL
SELECT org_code, gradespan, student_group, indicator, 0, numerator::BIGINT, denominator::BIGINT FROM mcas_figures
WHERE denominator > 0 AND (student_group <> 'lowest_performing' OR indicator <> 'science_achievement'
  OR (gradespan = 'high' AND org_type(org_code) = 'school'));
"""

INDICATORS = """
SELECT {year}::INTEGER AS school_year, org_code, org_type(org_code) AS org_type, gradespan, student_group, indicator,
  CASE WHEN indicator LIKE '%achievement' THEN 'scaled_score' WHEN indicator LIKE '%growth' THEN 'mean_sgp'
    ELSE 'percent' END AS measure,
  CASE WHEN d >= 20 THEN
    (half_up(CASE measure WHEN 'percent' THEN 1000 ELSE 10 END, n, d)::DECIMAL(9, 0) * 0.1)::DECIMAL(9, 1) END AS value,
  n AS numerator, d AS denominator, d AS n, ({year} - lag)::INTEGER AS data_year, 'student' AS source,
  CASE WHEN d >= 20 THEN 'ok' ELSE 'n_too_small' END AS status, NULL::VARCHAR AS note
FROM facts WHERE student_group IS NOT NULL
"""

PARTICIPATION_RESULTS = """
SELECT {year}::INTEGER AS school_year, org_code, org_type(org_code) AS org_type, gradespan, student_group, subject,
  t.should_test, t.tested, t.should_test - t.tested AS not_tested, t.should_test AS n,
  CASE WHEN n >= 20 THEN half_up(100, t.tested, t.should_test)::INTEGER END AS rate,
  CASE WHEN n >= 20 THEN 'ok' ELSE 'n_too_small' END AS status,
  t.should_test + p.should_test AS two_year_should_test, t.tested + p.tested AS two_year_tested,
  CASE WHEN n >= 20 THEN half_up(100, two_year_tested, two_year_should_test)::INTEGER END AS two_year_rate,
  CASE WHEN n < 20 THEN 'n_too_small' WHEN p.tested IS NULL THEN 'no_prior_year' ELSE 'ok' END AS two_year_status,
  'student' AS source
FROM participation AS t LEFT JOIN participation_prior AS p USING (org_code, gradespan, student_group, subject)
"""
FIGURES = {
    "ela": "ela_achievement",
    "math": "math_achievement",
    "science": "science_achievement",
    "ela_sgp": "ela_growth",
    "math_sgp": "math_growth",
}


def make(files: dict[str, list[str]], year: int, out: Path) -> None:
    """Both tables of a year from the files of each collection."""
    con = duckdb.connect()
    for name, paths in files.items():
        if paths[0].endswith(".csv"):
            con.execute(f"CREATE TABLE {name} AS FROM read_csv({paths}, all_varchar = true)")
        else:
            con.execute(f"CREATE VIEW {name} AS FROM read_parquet({paths})")
    con.execute(f"CREATE VIEW courses AS FROM read_csv('{COURSES}', all_varchar = true)")
    columns = {
        "sums": ", ".join(f"sum({c}) AS {c}_sum, count({c}) AS {c}_count" for c in FIGURES),
        "totals": ", ".join(f"sum({c}_sum) AS {c}_sum, sum({c}_count) AS {c}_count" for c in FIGURES),
        "names": ", ".join(f"'{name}'" for name in FIGURES.values()),
        "sum_columns": ", ".join(f"{c}_sum" for c in FIGURES),
        "count_columns": ", ".join(f"{c}_count" for c in FIGURES),
    }
    con.execute(MACROS)
    for prior in ("", "_prior"):
        con.execute((STUDENTS + PARTICIPATION).format(prior=prior))
    con.execute(COUNTED)
    con.execute(FACTS.format(year=year, **columns))
    for table, query in (("indicator_results", INDICATORS), ("participation_results", PARTICIPATION_RESULTS)):
        con.execute(f"COPY ({query.format(year=year)} ORDER BY ALL) TO '{out / table}.parquet' (COMPRESSION zstd)")


if __name__ == "__main__":
    command(__doc__, make)
