-- Which indicators the year has: by gradespan, with the grades that count and the measure that is asked for.
with of_tests as (
  select
    subject || '_achievement' as indicator, gradespan, tested_grades as grades, measure
  from {{ ref('int_subject_rules') }}
  union all
  select
    subject || '_growth' as indicator, gradespan, growth_grades as grades, 'mean_sgp' as measure
  from {{ ref('int_subject_rules') }}
  where growth_grades <> ''
),

of_rates as (
  select
    replace(replace(parameter, '_non_high', ''), '_high', '') as indicator,
    case when parameter like '%_non_high' then 'non_high' else 'high' end as gradespan,
    value as grades,
    'percent' as measure
  from ({{ hub_policy_rows('indicator_grades') }}) as policy_row
)

select * from of_tests
union all
select * from of_rates
