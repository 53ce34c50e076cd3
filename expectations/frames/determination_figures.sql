-- about: Determinations whose percentile or percentages are not those of the tables they come from.
-- key: org_code
-- reads: determinations, accountability_percentiles, target_percentages
-- population: SELECT count(*) FROM determinations
WITH
percentages AS (
    SELECT
        org_code,
        max(shown) FILTER (stage = 'annual') AS annual,
        max(shown) FILTER (stage = 'cumulative') AS cumulative
    FROM target_percentages WHERE student_group = 'all_students' GROUP BY ALL
),
percentiles AS (SELECT org_code, percentile FROM accountability_percentiles WHERE student_group = 'all_students'),
judged AS (
    SELECT
        d.org_code, d.percentile, r.percentile AS ranked, d.annual, d.cumulative,
        d.percentile IS DISTINCT FROM r.percentile AS other_percentile,
        d.annual IS DISTINCT FROM p.annual OR d.cumulative IS DISTINCT FROM p.cumulative AS other_percentage
    FROM determinations AS d
    LEFT JOIN percentiles AS r USING (org_code)
    LEFT JOIN percentages AS p USING (org_code)
    WHERE d.org_type = 'school'
)
SELECT * FROM judged WHERE other_percentile OR other_percentage ORDER BY ALL
