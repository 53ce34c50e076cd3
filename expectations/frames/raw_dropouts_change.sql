-- about: One row: dropouts of the year and of the year before.
-- key: school_year
-- reads: raw_dropouts, prior_raw_dropouts
-- empty: there were too few dropouts in the year before (gate_least.rows)
SELECT {{ year }} AS school_year, n.students, b.students AS year_before, abs(n.students - b.students) * 100.0 / b.students AS change_percent
FROM (SELECT count(*) AS students FROM raw_dropouts) AS n
CROSS JOIN (SELECT count(*) AS students FROM prior_raw_dropouts) AS b
WHERE b.students >= {{ policy('gate_least', 'rows') }}::BIGINT
