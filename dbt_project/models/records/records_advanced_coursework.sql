-- Every sims row of grades 9 to 12 of a place, and the completed advanced courses of the students who count.
with enrolled as (
  select sasid, school_code, collection_period, grade, enrollment_status, _delivery, _row
  from {{ ref('stg_sims') }}
  where {{ gradespan('grade') }} = 'high'
),

by_level as (
  {{ levels('enrolled', ['sasid', 'collection_period', 'grade', 'enrollment_status', '_delivery', '_row']) }}
),

explained as (
  select
    e.*,
    case
      when e.collection_period <> 'end_of_year' then 'record_no_end_of_year'
      when e.grade not in ('11', '12') then 'record_upper_grades'
      else 'record_enrollment_status'
    end as reason,
    row_number() over (
      partition by e.org_code, e.sasid
      order by case e.collection_period when 'end_of_year' then 1 when 'march_1' then 2 else 3 end, e.grade desc, e._row
    ) as place
  from by_level as e
),

listed as (
  select
    'advanced_coursework' as indicator, e.org_code, 'high' as gradespan, e.sasid,
    case when c.sasid is null then e.reason else 'counted' end as outcome,
    case when c.is_met then 1 else 0 end as amount,
    'grade ' || e.grade || ', enrollment status ' || e.enrollment_status as detail,
    e._delivery, e._row
  from explained as e
  left join {{ ref('int_advanced_coursework') }} as c on e.org_code = c.org_code and e.sasid = c.sasid
  where case
    when c.sasid is null then e.place = 1
    else e.collection_period = 'end_of_year' and e.grade in ('11', '12') and e.enrollment_status in ('01', '04')
  end
  union all
  select
    'advanced_coursework' as indicator, m.org_code, m.gradespan, m.sasid, 'counted' as outcome, 1 as amount,
    'completed course ' || k.subject_course_code as detail,
    k._delivery, k._row
  from {{ ref('int_advanced_coursework') }} as m
  inner join {{ ref('stg_course_schedules') }} as k on m.sasid = k.sasid
  where k.enrollment_status = 'COM'
    and k.subject_course_code in (select subject_course_code from {{ ref('advanced_courses') }})
)

{{ records_by_group('listed', ref('int_student_groups')) }}
