-- about: A row a kind of organisation, with how many of them are open.
-- key: org_type
-- reads: raw_organisations
SELECT kinds.org_type, count(o.org_code) AS organisations
FROM (VALUES ('state'), ('district'), ('school')) AS kinds (org_type)
LEFT JOIN raw_organisations AS o
    ON o.org_type = kinds.org_type AND coalesce(o.closed_year, {{ year }}) >= {{ year }}
GROUP BY ALL ORDER BY ALL
