-- about: Organisations without a determination, and determinations without an organisation or without a word.
-- key: org_code
-- reads: determinations, organisations
-- population: SELECT count(*) FROM organisations
SELECT
    coalesce(o.org_code, d.org_code) AS org_code,
    o.org_type,
    d.reason,
    d.status,
    d.org_code IS NULL AS without_determination,
    o.org_code IS NULL AS without_organisation,
    d.org_code IS NOT NULL
    AND (d.status IS NULL OR (d.status = 'ok' AND (d.reason IS NULL OR d.overall_classification IS NULL))) AS without_word
FROM organisations AS o
FULL JOIN determinations AS d USING (org_code)
WHERE d.org_code IS NULL OR o.org_code IS NULL
    OR d.status IS NULL OR (d.status = 'ok' AND (d.reason IS NULL OR d.overall_classification IS NULL))
ORDER BY ALL
