-- about: Rows of the directory with something wrong, by delivery and row number.
-- key: _delivery, _row
-- reads: raw_organisations
-- population: SELECT count(*) FROM raw_organisations
WITH
doubled AS (SELECT org_code FROM raw_organisations GROUP BY ALL HAVING count(*) > 1),
districts AS (SELECT DISTINCT org_code FROM raw_organisations WHERE org_type = 'district'),
judged AS (
    SELECT
        o._delivery,
        o._row,
        o.org_code,
        o.district_code,
        d.org_code IS NOT NULL AS doubled_key,
        o.org_code IS NULL OR o.org_name IS NULL OR o.org_type IS NULL OR o.district_code IS NULL AS lacks_a_value,
        coalesce(o.org_type = 'school' AND p.org_code IS NULL, false) AS unknown_district,
        coalesce(o.org_type = 'school' AND left(o.org_code, 4) <> left(o.district_code, 4), false) AS other_district_code,
        coalesce(o.closed_year < o.opened_year, false) AS closed_before_opened,
        coalesce(o.school_year <> {{ year }}, true) AS other_year
    FROM raw_organisations AS o
    LEFT JOIN doubled AS d USING (org_code)
    LEFT JOIN districts AS p ON o.district_code = p.org_code
)
SELECT * FROM judged
WHERE doubled_key OR lacks_a_value OR unknown_district OR other_district_code OR closed_before_opened OR other_year
ORDER BY _delivery, _row
