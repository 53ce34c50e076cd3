-- about: Points that do not fit their status, that have no figure behind them, or a figure of a report column without points.
-- key: org_code, gradespan, student_group, indicator
-- reads: indicator_points, indicator_results
-- population: SELECT count(*) FROM indicator_points
SELECT
    p.org_code, p.gradespan, p.student_group, p.indicator, p.points, p.status,
    (p.status = 'ok') <> (p.points IS NOT NULL) AS points_against_status,
    r.org_code IS NULL AS no_figure,
    coalesce(p.status = 'ok' AND r.status <> 'ok', false) AS figure_not_usable
FROM indicator_points AS p
LEFT JOIN indicator_results AS r USING (org_code, gradespan, student_group, indicator)
WHERE (p.status = 'ok') <> (p.points IS NOT NULL) OR r.org_code IS NULL OR (p.status = 'ok' AND r.status <> 'ok')
ORDER BY ALL
