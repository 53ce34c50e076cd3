-- Students with enough days in membership at a level, and whether they were absent too often there. Days are compared
-- exactly, before any rounding.
with attended as (
  select
    sasid, school_code, {{ gradespan('grade') }} as gradespan,
    days_in_membership as membership, days_in_membership - days_in_attendance as absent
  from {{ ref('stg_sims') }}
  where collection_period = 'end_of_year'
),

told_apart as (
  {{ told_apart('attended') }}
),

by_level as (
  {{ levels('(select * from told_apart where not is_of_several) as of_one', ['gradespan', 'sasid', 'membership', 'absent']) }}
),

of_several_by_level as (
  {{ levels('(select * from told_apart where is_of_several) as of_several', ['gradespan', 'sasid', 'membership', 'absent']) }}
),

added_up as (
  select org_code, gradespan, sasid, membership, absent from by_level
  union all
  select org_code, gradespan, sasid, sum(membership) as membership, sum(absent) as absent
  from of_several_by_level
  group by org_code, gradespan, sasid
)

select
  org_code, gradespan, sasid,
  absent >= membership * {{ policy('chronic_absenteeism', 'absent_share') }} as is_met
from added_up
where gradespan is not null and membership >= {{ policy('chronic_absenteeism', 'minimum_days_in_membership') }}
