-- about: A row a gradespan and indicator of the state with students enough in both years and the same measure.
-- key: org_code, gradespan, indicator
-- reads: indicator_results, prior_indicator_results
-- empty: no statewide figure had students enough in both years (gate_least.students)
SELECT
    r.org_code,
    r.gradespan,
    r.indicator,
    r.measure,
    r.value,
    p.value AS year_before,
    abs(r.value - p.value)::DOUBLE AS change,
    critical.value::DOUBLE AS critical_bound,
    warning.value::DOUBLE AS warning_bound,
    abs(r.n - p.n) * 100.0 / p.n AS n_change_percent
FROM indicator_results AS r
INNER JOIN prior_indicator_results AS p USING (org_code, gradespan, student_group, indicator, measure)
LEFT JOIN policy_rows AS critical
    ON critical.rule_id = 'gate_bounds' AND critical.parameter = r.measure || '_change_critical'
LEFT JOIN policy_rows AS warning ON warning.rule_id = 'gate_bounds' AND warning.parameter = r.measure || '_change_warning'
WHERE r.org_type = 'state' AND r.student_group = 'all_students' AND r.value IS NOT NULL AND p.value IS NOT NULL
    AND least(r.n, p.n) >= {{ policy('gate_least', 'students') }}::BIGINT
ORDER BY ALL
