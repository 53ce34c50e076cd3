-- about: Rows of English proficiency with something wrong, by delivery and row number.
-- key: _delivery, _row
-- reads: raw_access, raw_organisations
-- population: SELECT count(*) FROM raw_access
WITH
doubled AS (SELECT sasid FROM raw_access GROUP BY ALL HAVING count(*) > 1),
schools AS (SELECT DISTINCT org_code FROM raw_organisations WHERE org_type = 'school'),
judged AS (
    SELECT
        a._delivery,
        a._row,
        a.school_code,
        a.grade,
        d.sasid IS NOT NULL AS doubled_key,
        a.sasid IS NULL OR a.school_code IS NULL OR a.grade IS NULL OR a.test_status IS NULL AS lacks_a_value,
        o.org_code IS NULL AS unknown_school,
        coalesce(a.school_year <> {{ year }}, true) AS other_year,
        coalesce(a.overall_level NOT BETWEEN 1 AND 6, false) AS impossible_level,
        coalesce(a.made_progress = '1' AND a.test_status <> 'T', false) AS progress_without_test
    FROM raw_access AS a
    LEFT JOIN doubled AS d USING (sasid)
    LEFT JOIN schools AS o ON a.school_code = o.org_code
)
SELECT * FROM judged
WHERE doubled_key OR lacks_a_value OR unknown_school OR other_year OR impossible_level OR progress_without_test
ORDER BY _delivery, _row
