-- about: A row a subject with students enough in both years: tested students of every kind of test, and the mean scaled
--   score of the next-generation one.
-- key: subject
-- reads: raw_mcas, prior_raw_mcas
-- empty: there were too few tested students in the year before (gate_least.students)
WITH
stacked AS (
    SELECT 'now' AS which, * FROM raw_mcas
    UNION ALL BY NAME
    SELECT 'before' AS which, * FROM prior_raw_mcas
),
scores AS (
    SELECT which, unnest([
        {'subject': 'ela', 'status': ela_test_status, 'assessment': ela_assessment, 'score': ela_scaled_score},
        {'subject': 'math', 'status': math_test_status, 'assessment': math_assessment, 'score': math_scaled_score},
        {'subject': 'science', 'status': science_test_status, 'assessment': science_assessment, 'score': science_scaled_score}
    ], recursive := true) FROM stacked
),
summed AS (
    SELECT which, subject, count(*) AS tested, avg(score) FILTER (assessment = 'NG') AS mean_score
    FROM scores WHERE status = 'T' GROUP BY ALL
)
SELECT
    b.subject,
    coalesce(n.tested, 0) AS tested,
    b.tested AS year_before_tested,
    abs(coalesce(n.tested, 0) - b.tested) * 100.0 / b.tested AS tested_change_percent,
    n.mean_score,
    b.mean_score AS year_before_mean,
    coalesce(abs(n.mean_score - b.mean_score), 0) AS mean_change
FROM summed AS b
LEFT JOIN summed AS n ON b.subject = n.subject AND n.which = 'now'
WHERE b.which = 'before' AND b.tested >= {{ policy('gate_least', 'students') }}::BIGINT
ORDER BY b.subject
