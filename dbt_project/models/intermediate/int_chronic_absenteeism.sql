-- Students with enough days in membership at a level, and whether they were absent too often there. Days are compared
-- exactly, before any rounding.
with attended as (
  select sasid, school_code, {{ gradespan('grade') }} as gradespan, days_in_membership, days_in_attendance
  from {{ ref('stg_sims') }}
  where collection_period = 'end_of_year'
),

by_level as (
  {{ levels('attended', ['sasid', 'gradespan', 'days_in_membership', 'days_in_attendance']) }}
),

added_up as (
  select
    org_code, gradespan, sasid,
    sum(days_in_membership) as membership,
    sum(days_in_membership - days_in_attendance) as absent
  from by_level
  where gradespan is not null
  group by org_code, gradespan, sasid
)

select
  org_code, gradespan, sasid,
  absent >= membership * {{ policy('chronic_absenteeism', 'absent_share') }} as is_met
from added_up
where membership >= {{ policy('chronic_absenteeism', 'minimum_days_in_membership') }}
