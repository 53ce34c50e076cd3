-- about: Percentages that do not fit the points they come from, their status, or what is shown of them.
-- key: org_code, student_group, stage, gradespan
-- reads: target_percentages
-- population: SELECT count(*) FROM target_percentages
WITH judged AS (
    SELECT
        org_code, student_group, stage, gradespan, weighted_earned, weighted_possible, kept, shown, status,
        coalesce(weighted_earned > weighted_possible OR weighted_earned < 0, false) AS earned_above_possible,
        coalesce(kept < 0 OR kept > 100, false) AS off_scale,
        (status = 'ok') <> (kept IS NOT NULL) AS percentage_against_status,
        coalesce(abs(shown - kept) > 0.5, false) AS other_shown,
        -- within the decimals that the policy may keep of a column
        coalesce(stage = 'column' AND abs(kept * weighted_possible - 100 * weighted_earned) > 0.5 * weighted_possible, false)
            AS other_than_points
    FROM target_percentages
)
SELECT * FROM judged
WHERE earned_above_possible OR off_scale OR percentage_against_status OR other_shown OR other_than_points
ORDER BY ALL
