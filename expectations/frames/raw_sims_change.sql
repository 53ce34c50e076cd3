-- about: A row for the state and for each district with students enough in October of both years.
-- key: org_code
-- reads: raw_sims, prior_raw_sims, raw_organisations, prior_raw_organisations
-- empty: there were too few students in October of the year before (gate_least.students)
WITH
now AS (
    SELECT coalesce(o.district_code, '00000000') AS org_code, grouping(o.district_code) AS is_state, count(*) AS students
    FROM raw_sims AS s INNER JOIN raw_organisations AS o ON s.school_code = o.org_code
    WHERE s.collection_period = 'october_1'
    GROUP BY ROLLUP (o.district_code)
),
before AS (
    SELECT coalesce(o.district_code, '00000000') AS org_code, grouping(o.district_code) AS is_state, count(*) AS students
    FROM prior_raw_sims AS s INNER JOIN prior_raw_organisations AS o ON s.school_code = o.org_code
    WHERE s.collection_period = 'october_1'
    GROUP BY ROLLUP (o.district_code)
),
compared AS (
    SELECT
        b.org_code,
        coalesce(n.students, 0) AS students,
        b.students AS year_before,
        abs(coalesce(n.students, 0) - b.students) * 100.0 / b.students AS change_percent,
        b.is_state
    FROM before AS b
    LEFT JOIN now AS n USING (org_code, is_state)
    WHERE b.students >= {{ policy('gate_least', 'students') }}::BIGINT
)
SELECT
    org_code,
    students,
    year_before,
    change_percent,
    CASE WHEN is_state = 1 THEN change_percent ELSE 0 END AS state_change_percent,
    CASE WHEN is_state = 0 THEN change_percent ELSE 0 END AS district_change_percent
FROM compared
ORDER BY org_code
