-- about: Rows of student enrolment with something wrong, by delivery and row number.
-- key: _delivery, _row
-- reads: raw_sims, raw_organisations
-- population: SELECT count(*) FROM raw_sims
WITH
alike AS (  -- a number is counted faster than its texts; what counts is told below by the texts themselves
    SELECT hash(collection_period, sasid, school_code) AS number FROM raw_sims GROUP BY ALL HAVING count(*) > 1
),
doubled AS (
    SELECT collection_period, sasid, school_code FROM raw_sims
    WHERE hash(collection_period, sasid, school_code) IN (SELECT number FROM alike)
    GROUP BY ALL HAVING count(*) > 1
),
schools AS (SELECT DISTINCT org_code FROM raw_organisations WHERE org_type = 'school'),
judged AS (
    SELECT
        s._delivery,
        s._row,
        s.collection_period,
        s.school_code,
        s.grade,
        s.days_in_attendance,
        s.days_in_membership,
        d.sasid IS NOT NULL AS doubled_key,
        s.sasid IS NULL OR s.school_code IS NULL OR s.grade IS NULL OR s.enrollment_status IS NULL
        OR s.race_ethnicity IS NULL OR s.low_income IS NULL OR s.english_learner IS NULL
        OR s.disability IS NULL AS lacks_a_value,
        o.org_code IS NULL AS unknown_school,
        coalesce(s.school_year <> {{ year }}, true) AS other_year,
        coalesce(s.days_in_attendance < 0 OR s.days_in_attendance > s.days_in_membership, false) AS impossible_days
    FROM raw_sims AS s
    LEFT JOIN doubled AS d USING (collection_period, sasid, school_code)
    LEFT JOIN schools AS o ON s.school_code = o.org_code
)
SELECT * FROM judged
WHERE doubled_key OR lacks_a_value OR unknown_school OR other_year OR impossible_days
ORDER BY _delivery, _row
