-- about: One row: the percent of schools with insufficient data, and how much more that is than the year before.
-- key: school_year
-- reads: determinations, prior_determinations
-- empty: there were too few schools in either year (gate_least.organisations)
WITH
now AS (
    SELECT count(*) AS schools, 100.0 * count(*) FILTER (decided_by = 'insufficient_data') / nullif(count(*), 0) AS share
    FROM determinations WHERE org_type = 'school'
),
before AS (
    SELECT count(*) AS schools, 100.0 * count(*) FILTER (decided_by = 'insufficient_data') / nullif(count(*), 0) AS share
    FROM prior_determinations WHERE org_type = 'school'
)
SELECT {{ year }} AS school_year, n.share, b.share AS year_before, n.share - b.share AS increase
FROM now AS n CROSS JOIN before AS b
WHERE least(n.schools, b.schools) >= {{ policy('gate_least', 'organisations') }}::BIGINT
