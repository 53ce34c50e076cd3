-- about: Rows of course schedules with something wrong, by delivery and row number.
-- key: _delivery, _row
-- reads: raw_course_schedules, raw_organisations
-- population: SELECT count(*) FROM raw_course_schedules
WITH
alike AS (  -- a number is counted faster than its texts; what counts is told below by the texts themselves
    SELECT hash(sasid, school_code, local_course_code, class_section, course_term) AS number FROM raw_course_schedules GROUP BY ALL HAVING count(*) > 1
),
doubled AS (
    SELECT sasid, school_code, local_course_code, class_section, course_term FROM raw_course_schedules
    WHERE hash(sasid, school_code, local_course_code, class_section, course_term) IN (SELECT number FROM alike)
    GROUP BY ALL HAVING count(*) > 1
),
schools AS (SELECT DISTINCT org_code FROM raw_organisations WHERE org_type = 'school'),
judged AS (
    SELECT
        c._delivery,
        c._row,
        c.school_code,
        c.subject_course_code,
        d.sasid IS NOT NULL AS doubled_key,
        c.sasid IS NULL OR c.school_code IS NULL OR c.subject_course_code IS NULL OR c.enrollment_status IS NULL AS lacks_a_value,
        o.org_code IS NULL AS unknown_school,
        coalesce(c.school_year <> {{ year }}, true) AS other_year,
        NOT coalesce(regexp_full_match(c.subject_course_code, '[0-9]{5}'), false) AS impossible_code
    FROM raw_course_schedules AS c
    LEFT JOIN doubled AS d USING (sasid, school_code, local_course_code, class_section, course_term)
    LEFT JOIN schools AS o ON c.school_code = o.org_code
)
SELECT * FROM judged
WHERE doubled_key OR lacks_a_value OR unknown_school OR other_year OR impossible_code
ORDER BY _delivery, _row
