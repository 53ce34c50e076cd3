-- about: Rows of dropouts with something wrong, by delivery and row number.
-- key: _delivery, _row
-- reads: raw_dropouts, raw_organisations
-- population: SELECT count(*) FROM raw_dropouts
WITH
doubled AS (SELECT sasid FROM raw_dropouts GROUP BY ALL HAVING count(*) > 1),
schools AS (SELECT DISTINCT org_code FROM raw_organisations WHERE org_type = 'school'),
judged AS (
    SELECT
        x._delivery,
        x._row,
        x.school_code,
        x.grade,
        d.sasid IS NOT NULL AS doubled_key,
        x.sasid IS NULL OR x.school_code IS NULL OR x.grade IS NULL OR x.reason IS NULL AS lacks_a_value,
        o.org_code IS NULL AS unknown_school,
        coalesce(x.school_year <> {{ year }}, true) AS other_year
    FROM raw_dropouts AS x
    LEFT JOIN doubled AS d USING (sasid)
    LEFT JOIN schools AS o ON x.school_code = o.org_code
)
SELECT * FROM judged
WHERE doubled_key OR lacks_a_value OR unknown_school OR other_year
ORDER BY _delivery, _row
