-- about: Targets whose figures do not fit their status or the scale of the measure.
-- key: org_code, gradespan, student_group, indicator
-- reads: indicator_targets
-- population: SELECT count(*) FROM indicator_targets
WITH
highest AS (SELECT max(split_part(value, ' ', 2)::DECIMAL(9, 1)) AS value FROM policy_rows WHERE rule_id = 'measure_scale'),
judged AS (
    SELECT
        org_code, gradespan, student_group, indicator, baseline, target, next_target, status,
        (status = 'ok') <> (target IS NOT NULL) AS target_against_status,
        coalesce(target < 0 OR next_target < 0, false)
        OR coalesce(greatest(target, next_target) > highest.value, false) AS off_every_scale
    FROM indicator_targets, highest
)
SELECT * FROM judged WHERE target_against_status OR off_every_scale ORDER BY ALL
