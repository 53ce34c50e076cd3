-- about: A row a district, gradespan and indicator: its students of All Students against those of its schools.
-- key: org_code, gradespan, indicator
-- reads: indicator_results, organisations
-- empty: the source gives no numbers of students for both districts and schools
WITH
schools AS (
    SELECT o.district_code AS org_code, r.gradespan, r.indicator, sum(r.n) AS in_schools, max(r.n) AS largest_school
    FROM indicator_results AS r
    INNER JOIN organisations AS o USING (org_code)
    WHERE o.org_type = 'school' AND r.student_group = 'all_students' AND r.n IS NOT NULL
    GROUP BY ALL
)
SELECT
    s.org_code,
    s.gradespan,
    s.indicator,
    coalesce(r.n, 0) AS district,
    s.in_schools,
    s.largest_school - coalesce(r.n, 0) AS school_above_district,
    CASE
        WHEN s.indicator IN {{ words('gate_identity', 'district_equals_schools') }} THEN coalesce(r.n, 0) - s.in_schools ELSE 0
    END AS district_minus_schools
FROM schools AS s
LEFT JOIN indicator_results AS r
    ON r.org_code = s.org_code AND r.gradespan = s.gradespan AND r.indicator = s.indicator
    AND r.student_group = 'all_students'
ORDER BY ALL
