-- about: A row a collection and part in force, with its accepted rows and those of the year before.
-- key: collection, part
-- reads: raw_collections
SELECT
    collection,
    part,
    kind,
    delivered,
    accepted,
    coalesce(100.0 * quarantined / nullif(delivered, 0), 0) / 100 AS quarantined_share,
    CASE WHEN kind = 'ledger' THEN 1 ELSE accepted END AS accepted_unless_ledger
FROM raw_collections
ORDER BY collection, part
