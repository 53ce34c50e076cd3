-- about: A row a subject: students who should test, and the percent of them who did.
-- key: subject
-- reads: raw_mcas
-- empty: nobody should have tested
WITH statuses AS (
    SELECT unnest([
        {'subject': 'ela', 'status': ela_test_status},
        {'subject': 'math', 'status': math_test_status},
        {'subject': 'science', 'status': science_test_status}
    ], recursive := true) FROM raw_mcas
)
SELECT subject, count(*) AS should_test, 100.0 * count(*) FILTER (status = 'T') / count(*) AS tested_percent
FROM statuses WHERE status IS NOT NULL GROUP BY ALL HAVING count(*) >= {{ policy('gate_least', 'students') }}::BIGINT ORDER BY ALL
