-- about: A row a Lead with districts: how many they are.
-- key: lead
-- reads: assistance_assignments
-- empty: no Lead serves a district
SELECT lead, region, count(*) AS districts FROM assistance_assignments WHERE lead IS NOT NULL GROUP BY ALL ORDER BY ALL
