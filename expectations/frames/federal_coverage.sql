-- about: Schools whose Title I status is known and that have no federal row, and federal rows that are of no school.
-- key: org_code
-- reads: federal_designations, organisations
-- population: SELECT count(*) FROM organisations
SELECT
    coalesce(o.org_code, f.org_code) AS org_code,
    f.designation,
    f.org_code IS NULL AS without_federal_row,
    o.org_code IS NULL AS of_no_school
FROM (SELECT org_code FROM organisations WHERE org_type = 'school' AND title_i IS NOT NULL) AS o
FULL JOIN federal_designations AS f USING (org_code)
WHERE o.org_code IS NULL OR f.org_code IS NULL
ORDER BY ALL
