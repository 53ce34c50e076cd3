-- Every mcas row of a place, once for each subject of its gradespan.
with judged as (
  {{ participation_judged(ref('stg_mcas'), ref('int_student_attributes'), ref('stg_access'), 0) }}
),

sat as (
  select
    s.sasid, s.school_code, s.subject, t.gradespan, j.meaning,
    position(s.grade in t.tested_grades) > 0 as is_grade,
    'grade ' || s.grade || coalesce(', test status ' || s.test_status, ', no test status')
    || case when s.attempt = 'N' then ', no attempt' else '' end
    || case
      when j.is_by_best then ', best result by the end of grade 10'
      when j.meaning = 'tested' and j.is_through_access then ', first-year English learner with a test of English'
      else ''
    end as detail,
    m._delivery, m._row
  from ({{ subject_columns(ref('stg_mcas')) }}) as s
  inner join {{ ref('stg_mcas') }} as m on s.sasid = m.sasid
  inner join {{ ref('int_subject_rules') }} as t
    on s.subject = t.subject and coalesce({{ gradespan('s.grade') }}, t.gradespan) = t.gradespan
  left join judged as j on s.sasid = j.sasid and s.subject = j.subject and t.gradespan = j.gradespan
),

by_level as (
  {{ levels('sat', ['sasid', 'subject', 'gradespan', 'meaning', 'is_grade', 'detail', '_delivery', '_row']) }}
),

listed as (
  select
    subject || '_participation' as indicator, org_code, gradespan, sasid,
    case
      when meaning <> 'left_out' then 'counted'
      when not is_grade then 'tested_grades'
      when meaning is null then 'record_no_enrolment'
      else 'participation_status'
    end as outcome,
    case when meaning = 'tested' then 1 else 0 end as amount,
    detail, _delivery, _row
  from by_level
)

{{ records_by_group('listed', ref('int_student_groups')) }}
