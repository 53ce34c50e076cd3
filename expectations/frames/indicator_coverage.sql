-- about: Schools with students enough in a gradespan that have no row of an indicator there.
-- key: org_code, gradespan
-- reads: indicator_results, organisations
-- population: SELECT count(*) FROM organisations WHERE org_type = 'school'
WITH expected AS (
    SELECT org_code, org_name, unnest([
        {'gradespan': 'non_high', 'students': enrolment_non_high}, {'gradespan': 'high', 'students': enrolment_high}
    ], recursive := true)
    FROM organisations WHERE org_type = 'school'
)
SELECT e.org_code, e.org_name, e.gradespan, e.students, false AS has_a_row
FROM expected AS e
ANTI JOIN indicator_results AS r ON e.org_code = r.org_code AND e.gradespan = r.gradespan
WHERE e.students >= {{ policy('minimum_n', 'students') }}::BIGINT
ORDER BY ALL
