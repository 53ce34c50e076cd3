-- about: One row: the mean annual percentage of schools with one in both years.
-- key: school_year
-- reads: target_percentages, prior_target_percentages
-- empty: there were too few schools with an annual percentage in either year (gate_least.organisations)
WITH
now AS (
    SELECT org_code, kept FROM target_percentages
    WHERE stage = 'annual' AND student_group = 'all_students' AND org_type = 'school' AND kept IS NOT NULL
),
before AS (
    SELECT org_code, kept FROM prior_target_percentages
    WHERE stage = 'annual' AND student_group = 'all_students' AND org_type = 'school' AND kept IS NOT NULL
),
both_years AS (
    SELECT count(*) AS schools, avg(n.kept) AS mean, avg(b.kept) AS year_before FROM now AS n INNER JOIN before AS b USING (org_code)
)
SELECT {{ year }} AS school_year, schools, mean, year_before, abs(mean - year_before) AS change
FROM both_years WHERE schools >= {{ policy('gate_least', 'organisations') }}::BIGINT
