-- about: One row: students of the end of the year as percent of those of October 1.
-- key: school_year
-- reads: raw_sims
WITH students AS (
    SELECT
        (SELECT count(DISTINCT sasid) FROM raw_sims WHERE collection_period = 'october_1') AS october_1,
        (SELECT count(DISTINCT sasid) FROM raw_sims WHERE collection_period = 'end_of_year') AS end_of_year
)
SELECT
    {{ year }} AS school_year,
    october_1,
    end_of_year,
    coalesce(100.0 * end_of_year / nullif(october_1, 0), 0) AS end_of_year_percent
FROM students
