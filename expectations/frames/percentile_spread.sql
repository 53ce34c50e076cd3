-- about: A row a comparison set of schools large enough and a tenth of the percentiles: its share of the schools.
-- key: comparison_set, tenth
-- reads: accountability_percentiles
-- empty: no comparison set has schools enough to judge its spread (gate_least.organisations)
WITH
ranked AS (
    SELECT comparison_set, percentile FROM accountability_percentiles
    WHERE student_group = 'all_students' AND org_type = 'school' AND percentile IS NOT NULL
),
sets AS (
    SELECT comparison_set, count(*) AS schools FROM ranked GROUP BY ALL
    HAVING count(*) >= {{ policy('gate_least', 'organisations') }}::BIGINT
)
SELECT
    s.comparison_set,
    t.tenth,
    s.schools,
    100.0 * count(r.percentile) / s.schools AS percent_of_schools
FROM sets AS s
CROSS JOIN range(0, 10) AS t (tenth)
LEFT JOIN ranked AS r ON r.comparison_set = s.comparison_set AND r.percentile // 10 = t.tenth
GROUP BY s.comparison_set, t.tenth, s.schools
ORDER BY s.comparison_set, t.tenth
