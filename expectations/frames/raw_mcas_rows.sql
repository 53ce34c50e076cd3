-- about: Rows of student results with something wrong, by delivery and row number.
-- key: _delivery, _row
-- reads: raw_mcas, raw_organisations
-- population: SELECT count(*) FROM raw_mcas
WITH
doubled AS (SELECT sasid FROM raw_mcas GROUP BY ALL HAVING count(*) > 1),
schools AS (SELECT org_code, any_value(district_code) AS district_code FROM raw_organisations WHERE org_type = 'school' GROUP BY 1),
judged AS (
    SELECT
        m._delivery,
        m._row,
        m.school_code,
        m.district_code,
        m.grade,
        d.sasid IS NOT NULL AS doubled_key,
        m.sasid IS NULL OR m.school_code IS NULL OR m.district_code IS NULL OR m.grade IS NULL AS lacks_a_value,
        o.org_code IS NULL AS unknown_school,
        coalesce(o.district_code <> m.district_code, false) AS other_district,
        coalesce(m.school_year <> {{ year }}, true) AS other_year,
        coalesce(m.ela_growth_percentile NOT BETWEEN 1 AND 99, false)
        OR coalesce(m.math_growth_percentile NOT BETWEEN 1 AND 99, false) AS impossible_growth,
        coalesce(m.ela_assessment = 'NG' AND m.ela_scaled_score NOT BETWEEN 440 AND 560, false)
        OR coalesce(m.math_assessment = 'NG' AND m.math_scaled_score NOT BETWEEN 440 AND 560, false)
        OR coalesce(m.science_assessment = 'NG' AND m.science_scaled_score NOT BETWEEN 440 AND 560, false) AS impossible_score,
        coalesce(m.ela_test_status <> 'T' AND m.ela_scaled_score IS NOT NULL, false)
        OR coalesce(m.math_test_status <> 'T' AND m.math_scaled_score IS NOT NULL, false)
        OR coalesce(m.science_test_status <> 'T' AND m.science_scaled_score IS NOT NULL, false) AS score_without_test
    FROM raw_mcas AS m
    LEFT JOIN doubled AS d USING (sasid)
    LEFT JOIN schools AS o ON m.school_code = o.org_code
)
SELECT * FROM judged
WHERE doubled_key OR lacks_a_value OR unknown_school OR other_district OR other_year OR impossible_growth
    OR impossible_score OR score_without_test
ORDER BY _delivery, _row
