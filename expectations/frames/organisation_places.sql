-- about: Schools whose district is not in the table, and figures of organisations that are not. A figure of an earlier data year may
--   belong to a school that has closed since.
-- key: org_code
-- reads: organisations, indicator_results, participation_results
-- population: SELECT count(*) FROM organisations
SELECT o.org_code, true AS without_district, false AS without_organisation
FROM organisations AS o
ANTI JOIN organisations AS d ON o.district_code = d.org_code AND d.org_type = 'district'
WHERE o.org_type = 'school'
UNION ALL
SELECT f.org_code, false, true
FROM (SELECT org_code FROM indicator_results WHERE data_year = school_year UNION SELECT org_code FROM participation_results) AS f
ANTI JOIN organisations AS o USING (org_code)
ORDER BY ALL
