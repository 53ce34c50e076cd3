-- about: Rows of graduation cohorts with something wrong, by delivery and row number.
-- key: _delivery, _row
-- reads: raw_graduation_cohorts, raw_organisations
-- population: SELECT count(*) FROM raw_graduation_cohorts
WITH
doubled AS (
    SELECT cohort_span, cohort_year, sasid FROM raw_graduation_cohorts GROUP BY ALL HAVING count(*) > 1
),
schools AS (SELECT DISTINCT org_code FROM raw_organisations WHERE org_type = 'school'),
judged AS (
    SELECT
        g._delivery,
        g._row,
        g.school_code,
        g.cohort_span,
        g.cohort_year,
        d.sasid IS NOT NULL AS doubled_key,
        g.sasid IS NULL OR g.school_code IS NULL OR g.outcome IS NULL OR g.cohort_span IS NULL AS lacks_a_value,
        o.org_code IS NULL AS unknown_school,
        coalesce(g.school_year <> {{ year }}, true) AS other_year,
        coalesce(g.cohort_year <> g.school_year - (g.cohort_span::INTEGER - 4), true) AS other_cohort
    FROM raw_graduation_cohorts AS g
    LEFT JOIN doubled AS d USING (cohort_span, cohort_year, sasid)
    LEFT JOIN schools AS o ON g.school_code = o.org_code
)
SELECT * FROM judged
WHERE doubled_key OR lacks_a_value OR unknown_school OR other_year OR other_cohort
ORDER BY _delivery, _row
