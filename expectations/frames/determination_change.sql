-- about: A row a reason: its share of the schools decided in each year, in percent. A first year decides little, since
--   progress needs a year before; it is no measure for the next one. Schools with insufficient data are looked at by
--   themselves (determination_insufficient).
-- key: reason
-- reads: determinations, prior_determinations
-- empty: too few schools were decided in either year (gate_least.organisations), or far fewer in the year before
WITH
decided AS (
    SELECT 'now' AS which, reason FROM determinations
    WHERE org_type = 'school' AND decided_by <> 'insufficient_data'
    UNION ALL
    SELECT 'before', reason FROM prior_determinations
    WHERE org_type = 'school' AND decided_by <> 'insufficient_data'
),
totals AS (
    SELECT count(*) FILTER (which = 'now') AS now, count(*) FILTER (which = 'before') AS before FROM decided
),
undecided AS (
    SELECT
        100.0 * (SELECT count(*) FILTER (decided_by = 'insufficient_data') / count(*) FROM prior_determinations WHERE org_type = 'school')
        - 100.0 * (SELECT count(*) FILTER (decided_by = 'insufficient_data') / count(*) FROM determinations WHERE org_type = 'school')
            AS more_before
),
shares AS (
    SELECT
        reason,
        100.0 * count(*) FILTER (which = 'now') / any_value(totals.now) AS share,
        100.0 * count(*) FILTER (which = 'before') / any_value(totals.before) AS year_before
    FROM decided, totals, undecided
    WHERE undecided.more_before <= {{ policy('gate_bounds', 'category_share_change_warning') }}::DOUBLE
        AND least(totals.now, totals.before) >= {{ policy('gate_least', 'organisations') }}::BIGINT
    GROUP BY reason
)
SELECT reason, share, year_before, abs(share - year_before) AS change
FROM shares ORDER BY reason
