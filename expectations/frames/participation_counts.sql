-- about: Participation rows whose counts, rate or status do not fit each other.
-- key: org_code, gradespan, student_group, subject
-- reads: participation_results
-- population: SELECT count(*) FROM participation_results
WITH judged AS (
    SELECT
        org_code, gradespan, student_group, subject, should_test, tested, not_tested, rate, status,
        tested < 0 OR not_tested < 0 OR tested > should_test AS more_than_should,
        tested + not_tested <> should_test AS parts_off,
        coalesce(two_year_tested > two_year_should_test OR two_year_should_test < should_test, false) AS two_years_off,
        (status = 'ok') <> (rate IS NOT NULL) AS rate_against_status,
        coalesce(source = 'student' AND rate <> (200 * tested + should_test) // (2 * should_test), false) AS other_rate
    FROM participation_results
)
SELECT * FROM judged
WHERE coalesce(more_than_should OR parts_off OR two_years_off OR rate_against_status OR other_rate, true)
ORDER BY ALL
