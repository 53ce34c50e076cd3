-- about: A row an organisation and gradespan with students enough in both years: the share chronically absent.
-- key: org_code, gradespan
-- reads: indicator_results, prior_indicator_results
-- empty: no organisation had students enough in both years (gate_least.students)
SELECT
    r.org_code,
    r.org_type,
    r.gradespan,
    r.value,
    p.value AS year_before,
    abs(r.value - p.value)::DOUBLE AS change,
    CASE WHEN r.org_type = 'state' THEN abs(r.value - p.value)::DOUBLE ELSE 0 END AS state_change
FROM indicator_results AS r
INNER JOIN prior_indicator_results AS p USING (org_code, gradespan, student_group, indicator)
WHERE r.indicator = 'chronic_absenteeism' AND r.student_group = 'all_students' AND r.org_type <> 'school'
    AND r.value IS NOT NULL AND p.value IS NOT NULL
    AND least(r.n, p.n) >= {{ policy('gate_least', 'students') }}::BIGINT
ORDER BY ALL
