-- about: Rows of the room's tables that name a step of the trace which is not there.
-- key: room_table, trace_key
-- reads: determination_trace, indicator_points, target_percentages, accountability_percentiles, determinations, federal_designations
-- population: SELECT count(*) FROM determination_trace
WITH named AS (
    SELECT 'indicator_points' AS room_table, trace_key FROM indicator_points
    UNION ALL SELECT 'target_percentages', trace_key FROM target_percentages
    UNION ALL SELECT 'accountability_percentiles', trace_key FROM accountability_percentiles
    UNION ALL SELECT 'determinations', trace_key FROM determinations
    UNION ALL SELECT 'federal_designations', trace_key FROM federal_designations
)
SELECT n.room_table, n.trace_key, false AS is_traced
FROM named AS n ANTI JOIN determination_trace AS t ON n.trace_key = t.key
ORDER BY ALL
