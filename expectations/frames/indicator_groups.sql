-- about: A row an organisation, gradespan and indicator: students of its groups against those of All Students.
-- key: org_code, gradespan, indicator
-- reads: indicator_results
-- empty: the source gives no numbers of students
WITH summed AS (
    SELECT
        org_code,
        gradespan,
        indicator,
        max(n) FILTER (student_group = 'all_students') AS all_students,
        coalesce(max(n) FILTER (student_group <> 'all_students'), 0) AS largest_group,
        coalesce(sum(n) FILTER (student_group IN {{ words('gate_identity', 'race_groups') }}), 0) AS race_groups,
        coalesce(max(n) FILTER (student_group = 'high_needs'), 0) AS high_needs,
        coalesce(max(n) FILTER (student_group IN {{ words('gate_identity', 'high_needs_groups') }}), 0) AS largest_part,
        coalesce(sum(n) FILTER (student_group IN {{ words('gate_identity', 'high_needs_groups') }}), 0) AS sum_of_parts
    FROM indicator_results
    WHERE n IS NOT NULL
    GROUP BY ALL
)
SELECT
    org_code,
    gradespan,
    indicator,
    all_students,
    race_groups,
    high_needs,
    coalesce(largest_group - all_students, largest_group) AS group_above_all,
    coalesce(race_groups - all_students, race_groups) AS races_minus_all,
    CASE WHEN high_needs BETWEEN largest_part AND sum_of_parts THEN 0 ELSE 1 END AS high_needs_outside_parts
FROM summed
ORDER BY ALL
