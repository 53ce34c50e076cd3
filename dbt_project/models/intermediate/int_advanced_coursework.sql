-- Students of grades 11 and 12 still there at the end of the year or graduated; met: one completed course of the list.
with enrolled as (
  select sasid, school_code
  from {{ ref('stg_sims') }}
  where collection_period = 'end_of_year' and grade in ('11', '12') and enrollment_status in ('01', '04')
),

completed as (
  select distinct c.sasid
  from {{ ref('stg_course_schedules') }} as c
  inner join {{ ref('advanced_courses') }} as a on c.subject_course_code = a.subject_course_code
  where c.enrollment_status = 'COM'
),

by_level as (
  select distinct org_code, sasid
  from (
    {{ levels('enrolled', ['sasid']) }}
  ) as everywhere
)

select e.org_code, 'high' as gradespan, e.sasid, c.sasid is not null as is_met
from by_level as e
left join completed as c on e.sasid = c.sasid
