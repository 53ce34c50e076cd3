-- The groups of every profile that there can be; '--' stands for a student of no race group.
with races as (
  select race_ethnicity from {{ ref('race_ethnicity_groups') }}
  union all
  select cast(null as varchar) as race_ethnicity
),

yes_or_no as (
  select true as flag
  union all
  select false as flag
),

flagged as (
  select r.race_ethnicity, l.flag as is_low_income, e.flag as is_english_learner, d.flag as is_disabled
  from races as r
  cross join yes_or_no as l
  cross join yes_or_no as e
  cross join yes_or_no as d
),

profiles as (
  select *, {{ profile('race_ethnicity', 'is_low_income', 'is_english_learner', 'is_disabled') }} as profile
  from flagged
)

{{ student_groups('profiles', 'profile') }}
