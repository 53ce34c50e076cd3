-- about: Districts that need a Lead and are not assigned, districts assigned in another region or without a need, and loads
--   of a Lead that are not the sum of the districts.
-- key: district_code
-- reads: assistance_assignments, assistance_eligibility
-- population: SELECT count(*) FROM assistance_eligibility
WITH
needs AS (SELECT org_code AS district_code, region FROM assistance_eligibility WHERE org_type = 'district' AND needs_lead),
places AS (SELECT district_code, list(DISTINCT region) AS regions FROM assistance_eligibility GROUP BY district_code),
loads AS (
    SELECT region, lead, sum(load) AS load, count(*) AS districts FROM assistance_assignments WHERE lead IS NOT NULL GROUP BY ALL
),
judged AS (
    SELECT
        coalesce(a.district_code, n.district_code) AS district_code,
        a.region,
        p.regions AS regions_of_eligibility,
        a.lead,
        a.lead_load,
        l.load AS sum_of_loads,
        a.district_code IS NULL AS not_assigned,
        n.district_code IS NULL AS without_need,
        a.region IS NOT NULL AND NOT coalesce(list_contains(p.regions, a.region), false) AS other_region,
        coalesce(a.lead_load <> l.load OR a.lead_districts <> l.districts, false) AS other_load,
        coalesce((a.lead IS NULL) <> (a.status = 'no_lead'), false) AS lead_against_status
    FROM needs AS n
    FULL JOIN assistance_assignments AS a USING (district_code)
    LEFT JOIN places AS p USING (district_code)
    LEFT JOIN loads AS l ON a.region = l.region AND a.lead = l.lead
)
SELECT * FROM judged
WHERE not_assigned OR without_need OR other_region OR other_load OR lead_against_status
ORDER BY ALL
