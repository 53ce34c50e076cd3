-- about: A row an organisation, gradespan and subject: students who should test, groups and schools against the whole.
-- key: org_code, gradespan, subject
-- reads: participation_results, organisations
-- empty: nobody should have tested
WITH
groups AS (
    SELECT
        org_code, org_type, gradespan, subject,
        coalesce(max(should_test) FILTER (student_group = 'all_students'), 0) AS all_students,
        coalesce(max(should_test) FILTER (student_group <> 'all_students'), 0) AS largest_group,
        coalesce(sum(should_test) FILTER (student_group IN {{ words('gate_identity', 'race_groups') }}), 0) AS race_groups
    FROM participation_results GROUP BY ALL
),
schools AS (
    SELECT o.district_code AS org_code, p.gradespan, p.subject, max(p.should_test) AS largest_school
    FROM participation_results AS p INNER JOIN organisations AS o USING (org_code)
    WHERE o.org_type = 'school' AND p.student_group = 'all_students' GROUP BY ALL
)
SELECT
    g.org_code, g.gradespan, g.subject, g.all_students,
    g.largest_group - g.all_students AS group_above_all,
    g.race_groups - g.all_students AS races_minus_all,
    coalesce(s.largest_school - g.all_students, 0) AS school_above_district
FROM groups AS g LEFT JOIN schools AS s USING (org_code, gradespan, subject)
ORDER BY ALL
