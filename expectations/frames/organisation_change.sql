-- about: A row for the state and each district with students enough in the year before: enrolment of both years.
-- key: org_code
-- reads: organisations, prior_organisations
-- empty: no district had students enough in the year before (gate_least.students)
WITH compared AS (
    SELECT
        p.org_code,
        p.org_type,
        coalesce(o.enrolment, 0) AS enrolment,
        p.enrolment AS year_before,
        abs(coalesce(o.enrolment, 0) - p.enrolment) * 100.0 / p.enrolment AS change_percent
    FROM prior_organisations AS p LEFT JOIN organisations AS o USING (org_code)
    WHERE p.org_type <> 'school' AND p.enrolment >= {{ policy('gate_least', 'students') }}::BIGINT
)
SELECT
    *,
    CASE WHEN org_type = 'state' THEN change_percent ELSE 0 END AS state_change_percent,
    CASE WHEN org_type = 'district' THEN change_percent ELSE 0 END AS district_change_percent
FROM compared
ORDER BY ALL
