-- Students of the 5-year cohort; met: 'graduated' or 'still_enrolled'.
with cohort as (
  select sasid, school_code, outcome in ('graduated', 'still_enrolled') as is_met
  from {{ ref('int_cohort_attributes') }}
  where cohort_span = '5'
)

select org_code, 'high' as gradespan, sasid, is_met
from (
  {{ levels('cohort', ['sasid', 'is_met']) }}
) as by_level
