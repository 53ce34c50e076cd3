-- about: Places that have two rows of a stage in target_percentages.
-- key: org_code, student_group, stage, gradespan
-- reads: target_percentages
-- population: SELECT count(*) FROM target_percentages
SELECT org_code, student_group, stage, coalesce(gradespan, '-') AS gradespan, count(*) AS times
FROM target_percentages
GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL
