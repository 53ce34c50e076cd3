-- about: Figures whose value does not fit what it was made from, its scale, its status or its number of students.
-- key: org_code, gradespan, student_group, indicator
-- reads: indicator_results
-- population: SELECT count(*) FROM indicator_results
WITH
scales AS (
    SELECT
        parameter AS measure,
        split_part(value, ' ', 1)::DECIMAL(9, 1) AS lowest,
        split_part(value, ' ', 2)::DECIMAL(9, 1) AS highest
    FROM policy_rows WHERE rule_id = 'measure_scale'
),
judged AS (
    SELECT
        r.org_code,
        r.gradespan,
        r.student_group,
        r.indicator,
        r.measure,
        r.value,
        r.numerator,
        r.denominator,
        r.n,
        r.status,
        s.measure IS NULL AS unknown_measure,
        coalesce(r.value < s.lowest OR r.value > s.highest, false) AS off_scale,
        coalesce(r.measure = 'percent' AND r.numerator > r.denominator, false)
        OR coalesce(r.numerator < 0, false) OR coalesce(r.denominator < 1, false) AS impossible_share,
        -- exact: 1000 * numerator / denominator in tenths, half up
        coalesce(
            r.source = 'student' AND r.measure = 'percent' AND r.value IS NOT NULL
            AND (r.value * 10)::BIGINT <> (2000 * r.numerator + r.denominator) // (2 * r.denominator),
            false
        ) AS other_value,
        (r.status IN ('ok', 'not_applicable')) <> (r.value IS NOT NULL) AS value_against_status,
        coalesce(
            r.status = 'ok' AND r.n < CASE
                WHEN r.measure = 'mean_sgp' THEN {{ policy('minimum_n', 'growth') }}::BIGINT
                ELSE {{ policy('minimum_n', 'students') }}::BIGINT
            END,
            false
        ) AS too_few_students
    FROM indicator_results AS r
    LEFT JOIN scales AS s USING (measure)
)
SELECT * FROM judged
WHERE unknown_measure OR off_scale OR impossible_share OR other_value OR value_against_status OR too_few_students
ORDER BY ALL
