-- about: A row an organisation: its enrolment against its parts and its districts or schools.
-- key: org_code
-- reads: organisations
WITH
schools AS (
    SELECT district_code AS org_code, count(*) AS schools, sum(enrolment) AS enrolment, max(enrolment) AS largest
    FROM organisations WHERE org_type = 'school' GROUP BY ALL
    UNION ALL
    SELECT s.org_code, (SELECT count(*) FROM organisations WHERE org_type = 'school'), sum(d.enrolment), max(d.enrolment)
    FROM organisations AS s, organisations AS d WHERE s.org_type = 'state' AND d.org_type = 'district' GROUP BY ALL
)
SELECT
    o.org_code,
    o.org_type,
    o.enrolment,
    coalesce(s.enrolment, o.enrolment) AS in_parts,
    greatest(o.enrolment - coalesce(s.enrolment, o.enrolment), 0) AS above_parts,
    greatest(coalesce(s.largest, 0) - o.enrolment, 0) AS below_largest_part,
    greatest(o.enrolment_non_high + o.enrolment_high - o.enrolment, 0) AS gradespans_above_all,
    greatest(coalesce(o.high_needs, 0) - o.enrolment, 0) AS high_needs_above_all,
    CASE WHEN o.org_type = 'school' THEN 0 ELSE abs(o.schools - coalesce(s.schools, 0)) END AS schools_off
FROM organisations AS o LEFT JOIN schools AS s USING (org_code)
ORDER BY o.org_code
