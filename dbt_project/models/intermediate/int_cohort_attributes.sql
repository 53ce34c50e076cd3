-- Students of the cohorts in a delivery; a cohort row carries its own attributes, and is a student of its own: one student
-- can stand in two cohorts, with other attributes.
with flagged as (
  select
    {{ cohort_member() }} as sasid, cohort_span, cohort_year, school_code, outcome, race_ethnicity,
    low_income = '1' as is_low_income,
    english_learner = '1' as is_english_learner,
    disability = '1' as is_disabled
  from {{ ref('stg_graduation_cohorts') }}
)

select *, {{ profile('race_ethnicity', 'is_low_income', 'is_english_learner', 'is_disabled') }} as profile
from flagged
