-- about: A row a kind of organisation of which there were enough, with the change in percent.
-- key: org_type
-- reads: raw_organisations, prior_raw_organisations
-- empty: there were too few organisations in the year before (gate_least.organisations)
WITH
now AS (SELECT org_type, count(*) AS organisations FROM raw_organisations GROUP BY ALL),
before AS (SELECT org_type, count(*) AS organisations FROM prior_raw_organisations GROUP BY ALL)
SELECT
    b.org_type,
    coalesce(n.organisations, 0) AS organisations,
    b.organisations AS year_before,
    abs(coalesce(n.organisations, 0) - b.organisations) * 100.0 / b.organisations AS change_percent
FROM before AS b
LEFT JOIN now AS n USING (org_type)
WHERE b.organisations >= {{ policy('gate_least', 'organisations') }}::BIGINT
ORDER BY ALL
