-- about: Schools and districts with a claim to assistance that are not on the list, and rows that do not fit themselves.
-- key: org_code
-- reads: assistance_eligibility, determinations, organisations, accountability_percentiles
-- population: SELECT count(*) FROM determinations
WITH
claims AS (
    SELECT d.org_code, d.reason
    FROM determinations AS d
    LEFT JOIN accountability_percentiles AS p ON d.org_code = p.org_code AND p.student_group = 'all_students'
    WHERE d.org_type <> 'state' AND (
        d.overall_classification = {{ policy('overall_word', 'requiring') }}
        OR p.percentile <= {{ policy('assistance_targeted', 'percentile_at_most') }}::INTEGER
    )
),
judged AS (
    SELECT
        coalesce(e.org_code, c.org_code) AS org_code,
        c.reason,
        e.change,
        e.grounds,
        e.prior_grounds,
        c.org_code IS NOT NULL AND (e.org_code IS NULL OR e.grounds IS NULL) AS not_on_the_list,
        e.org_code IS NOT NULL AND o.org_code IS NULL AS of_no_organisation,
        coalesce(
            (e.change = 'entered' AND (e.grounds IS NULL OR e.prior_grounds IS NOT NULL))
            OR (e.change = 'continuing' AND (e.grounds IS NULL OR e.prior_grounds IS NULL))
            OR (e.change = 'exited' AND (e.grounds IS NOT NULL OR e.prior_grounds IS NULL)),
            false
        ) AS change_against_grounds,
        coalesce(e.high_needs > e.enrolment, false) AS high_needs_above_all
    FROM claims AS c
    FULL JOIN assistance_eligibility AS e USING (org_code)
    LEFT JOIN organisations AS o ON e.org_code = o.org_code
)
SELECT * FROM judged
WHERE not_on_the_list OR (of_no_organisation AND change <> 'exited') OR change_against_grounds OR high_needs_above_all
ORDER BY ALL
