-- about: Percentiles that do not fit their status, or that lie below one with a lower score of the same comparison set.
-- key: org_code, student_group
-- reads: accountability_percentiles
-- population: SELECT count(*) FROM accountability_percentiles
WITH
scored AS (
    SELECT
        *,
        -- a score is an exact fraction, written 11493/170
        split_part(score, '/', 1)::DOUBLE / coalesce(nullif(split_part(score, '/', 2), ''), '1')::DOUBLE AS number
    FROM accountability_percentiles
),
judged AS (
    SELECT
        org_code, student_group, comparison_set, percentile, score, status,
        (status = 'ok') <> (percentile IS NOT NULL) AS percentile_against_status,
        coalesce(
            percentile < max(percentile) OVER (
                PARTITION BY comparison_set, student_group ORDER BY number
                RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ),
            false
        ) AS out_of_order
    FROM scored
)
SELECT * FROM judged WHERE percentile_against_status OR out_of_order ORDER BY ALL
