-- English learners who were tested and have an earlier test to compare with.
with tested as (
  select sasid, school_code, {{ gradespan('grade') }} as gradespan, made_progress
  from {{ ref('stg_access') }}
  where test_status = 'T' and made_progress is not null
),

by_level as (
  {{ levels('tested', ['sasid', 'gradespan', 'made_progress']) }}
)

select org_code, gradespan, sasid, made_progress = '1' as is_met
from by_level
where gradespan is not null
