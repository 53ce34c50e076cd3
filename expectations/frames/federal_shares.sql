-- about: One row: the percent of Title I schools that are CSI.
-- key: school_year
-- reads: federal_designations
-- empty: there are too few Title I schools (gate_least.organisations)
SELECT {{ year }} AS school_year, count(*) AS schools, 100.0 * count(*) FILTER (kind = 'csi') / count(*) AS csi_percent
FROM federal_designations WHERE is_title_i
HAVING count(*) >= {{ policy('gate_least', 'organisations') }}::BIGINT
