-- about: Steps of the trace that are there twice, and steps without a rule or an outcome.
-- key: key
-- reads: determination_trace
-- population: SELECT count(*) FROM determination_trace
SELECT key, 'twice' AS fault FROM determination_trace GROUP BY key HAVING count(*) > 1
UNION ALL
SELECT key, 'without a rule, parameters or an outcome' FROM determination_trace
WHERE rule_id IS NULL OR parameters IS NULL OR outcome IS NULL
ORDER BY ALL
