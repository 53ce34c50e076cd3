-- about: A row a span of years: the percent graduated this year and the year before.
-- key: cohort_span
-- reads: raw_graduation_cohorts, prior_raw_graduation_cohorts
-- empty: there were too few students in either cohort (gate_least.students)
WITH
now AS (SELECT cohort_span, count(*) AS students, 100.0 * count(*) FILTER (outcome = 'graduated') / count(*) AS share FROM raw_graduation_cohorts GROUP BY ALL),
before AS (SELECT cohort_span, count(*) AS students, 100.0 * count(*) FILTER (outcome = 'graduated') / count(*) AS share FROM prior_raw_graduation_cohorts GROUP BY ALL)
SELECT cohort_span, n.share, b.share AS year_before, abs(n.share - b.share) AS change
FROM now AS n INNER JOIN before AS b USING (cohort_span)
WHERE least(n.students, b.students) >= {{ policy('gate_least', 'students') }}::BIGINT
ORDER BY cohort_span
