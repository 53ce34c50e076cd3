-- Students of the two cohorts that closed; a cohort row carries its own attributes. A student stands in one cohort a span.
select
  cohort_span || '-' || sasid as sasid, cohort_span, school_code, outcome, race_ethnicity,
  low_income = '1' as is_low_income,
  english_learner = '1' as is_english_learner,
  disability = '1' as is_disabled
from {{ ref('stg_graduation_cohorts') }}
