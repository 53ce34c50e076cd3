-- about: Schools of the directory that are open and have no student in any collection of the year.
-- key: org_code
-- reads: raw_sims, raw_organisations
-- population: SELECT count(*) FROM raw_organisations WHERE org_type = 'school'
SELECT o.org_code, o.org_name, false AS has_students
FROM raw_organisations AS o
ANTI JOIN raw_sims AS s ON o.org_code = s.school_code
WHERE o.org_type = 'school' AND coalesce(o.closed_year, {{ year }}) >= {{ year }}
ORDER BY o.org_code
