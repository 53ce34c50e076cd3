-- about: One row: students of the end of the year as percent of those of October 1.
-- key: school_year
-- reads: raw_sims
SELECT
    {{ year }} AS school_year,
    count(DISTINCT sasid) FILTER (collection_period = 'october_1') AS october_1,
    count(DISTINCT sasid) FILTER (collection_period = 'end_of_year') AS end_of_year,
    coalesce(
        100.0 * count(DISTINCT sasid) FILTER (collection_period = 'end_of_year')
        / nullif(count(DISTINCT sasid) FILTER (collection_period = 'october_1'), 0),
        0
    ) AS end_of_year_percent
FROM raw_sims
