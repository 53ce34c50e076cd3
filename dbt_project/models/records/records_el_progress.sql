-- Every access row of a place.
with sat as (
  select sasid, school_code, {{ gradespan('grade') }} as gradespan, test_status, made_progress, _delivery, _row
  from {{ ref('stg_access') }}
),

by_level as (
  {{ levels('sat', ['sasid', 'gradespan', 'test_status', 'made_progress', '_delivery', '_row']) }}
),

listed as (
  select
    'el_progress' as indicator, s.org_code, s.gradespan, s.sasid,
    case
      when s.sasid not in (select sasid from {{ ref('int_student_groups') }}) then 'record_no_enrolment'
      when c.sasid is not null then 'counted'
      when s.gradespan is null then 'record_gradespan'
      when s.test_status = 'T' then 'record_no_earlier_test'
      else 'record_not_tested'
    end as outcome,
    case when c.is_met then 1 else 0 end as amount,
    'test status ' || s.test_status as detail,
    s._delivery, s._row
  from by_level as s
  left join {{ ref('int_el_progress') }} as c on s.org_code = c.org_code and s.gradespan = c.gradespan and s.sasid = c.sasid
)

{{ records_by_group('listed', ref('int_student_groups')) }}
