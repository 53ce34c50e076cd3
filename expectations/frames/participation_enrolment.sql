-- about: A row an organisation, gradespan and subject: students who should test as percent of those enrolled in October.
-- key: org_code, gradespan, subject
-- reads: participation_results, organisations
-- empty: nobody should have tested
WITH joined AS (
    SELECT
        p.org_code, p.org_type, p.gradespan, p.subject, p.should_test,
        CASE p.gradespan WHEN 'high' THEN o.enrolment_high ELSE o.enrolment_non_high END AS enrolment
    FROM participation_results AS p
    INNER JOIN organisations AS o USING (org_code)
    WHERE p.student_group = 'all_students'
),
shares AS (
    SELECT
        *,
        CASE WHEN enrolment > 0 THEN 100.0 * should_test / enrolment WHEN should_test > 0 THEN 1000 ELSE 0 END AS percent
    FROM joined
)
SELECT
    *,
    CASE WHEN org_type = 'state' THEN percent ELSE 0 END AS state_percent,
    CASE WHEN enrolment >= {{ policy('gate_least', 'students') }}::BIGINT THEN percent ELSE 0 END AS larger_percent
FROM shares
ORDER BY ALL
