-- Students of the 4-year cohort; met: 'graduated'.
with cohort as (
  select sasid, school_code, outcome in ('graduated') as is_met
  from {{ ref('int_cohort_attributes') }}
  where cohort_span = '4'
)

select org_code, 'high' as gradespan, sasid, is_met
from (
  {{ levels('cohort', ['sasid', 'is_met']) }}
) as by_level
