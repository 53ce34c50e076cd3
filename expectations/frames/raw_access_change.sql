-- about: One row: the percent of students with a target who reached it, this year and the year before.
-- key: school_year
-- reads: raw_access, prior_raw_access
-- empty: there were too few students with a target in either year (gate_least.students)
WITH
now AS (SELECT count(*) AS students, 100.0 * count(*) FILTER (made_progress = '1') / nullif(count(*), 0) AS share FROM raw_access WHERE made_progress IS NOT NULL),
before AS (SELECT count(*) AS students, 100.0 * count(*) FILTER (made_progress = '1') / nullif(count(*), 0) AS share FROM prior_raw_access WHERE made_progress IS NOT NULL)
SELECT {{ year }} AS school_year, n.share, b.share AS year_before, abs(n.share - b.share) AS change
FROM now AS n CROSS JOIN before AS b
WHERE least(n.students, b.students) >= {{ policy('gate_least', 'students') }}::BIGINT
