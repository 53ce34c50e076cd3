-- about: A row a trait of students: its share among October's rows this year and the year before, in percent.
-- key: trait
-- reads: raw_sims, prior_raw_sims
-- empty: there were too few students in October of the year before (gate_least.students)
WITH
both_years AS (
    SELECT 'now' AS which, low_income, english_learner, disability FROM raw_sims WHERE collection_period = 'october_1'
    UNION ALL
    SELECT 'before', low_income, english_learner, disability FROM prior_raw_sims WHERE collection_period = 'october_1'
),
traits AS (
    SELECT
        which,
        count(*) AS students,
        unnest([
            {'trait': 'low_income', 'share': 100.0 * count(*) FILTER (low_income = '01') / count(*)},
            {'trait': 'english_learner', 'share': 100.0 * count(*) FILTER (english_learner = '01') / count(*)},
            {'trait': 'disability', 'share': 100.0 * count(*) FILTER (disability <> '500') / count(*)}
        ], recursive := true)
    FROM both_years
    GROUP BY which
)
SELECT n.trait, n.share, b.share AS year_before, abs(n.share - b.share) AS change
FROM traits AS n
INNER JOIN traits AS b ON n.trait = b.trait AND n.which = 'now' AND b.which = 'before'
WHERE least(n.students, b.students) >= {{ policy('gate_least', 'students') }}::BIGINT
ORDER BY n.trait
