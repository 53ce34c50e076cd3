-- Students with enough days in membership, and whether they were absent too often. Days are compared exactly, before any
-- rounding. One of a single school has a row there, which says the same of district and state; one of several a row a place.
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

of_several_by_level as (
  {{ levels('(select * from told_apart where is_of_several) as of_several', ['gradespan', 'sasid', 'membership', 'absent']) }}
),

added_up as (
  select school_code as org_code, gradespan, sasid, true as is_everywhere, membership, absent
  from told_apart
  where not is_of_several
  union all
  select org_code, gradespan, sasid, false as is_everywhere, sum(membership) as membership, sum(absent) as absent
  from of_several_by_level
  group by org_code, gradespan, sasid
)

select
  org_code, gradespan, sasid, is_everywhere,
  absent >= membership * {{ policy('chronic_absenteeism', 'absent_share') }} as is_met
from added_up
where gradespan is not null and membership >= {{ policy('chronic_absenteeism', 'minimum_days_in_membership') }}
