-- about: A row a collection and part that had rows enough in the year before; one that is gone has 100 percent less,
--   unless the calendar says that it did not take place.
-- key: collection, part
-- reads: raw_collections, prior_raw_collections
-- empty: no collection had rows enough in the year before (gate_least.rows)
WITH
now AS (SELECT collection, part, sum(accepted) AS accepted FROM raw_collections GROUP BY ALL),
before AS (SELECT collection, part, kind, sum(accepted) AS accepted FROM prior_raw_collections GROUP BY ALL)
SELECT
    b.collection,
    b.part,
    coalesce(n.accepted, 0) AS accepted,
    b.accepted AS year_before,
    abs(coalesce(n.accepted, 0) - b.accepted) * 100.0 / b.accepted AS change_percent
FROM before AS b
LEFT JOIN now AS n USING (collection, part)
WHERE b.kind <> 'ledger'
    AND b.accepted >= {{ policy('gate_least', 'rows') }}::BIGINT
    AND (n.accepted IS NOT NULL OR b.kind = 'student')
    AND b.collection NOT IN (
        SELECT parameter FROM policy_rows WHERE rule_id = 'suspended_collection' AND value = 'yes'
    )
ORDER BY ALL
