-- Every mcas row of a place, once for each achievement and growth indicator of its gradespan.
with asked as (
  select subject, gradespan, 'achievement' as kind, tested_grades as grades from {{ ref('int_subject_rules') }}
  union all
  select subject, gradespan, 'growth' as kind, growth_grades as grades from {{ ref('int_subject_rules') }}
  where subject <> 'science'
),

sat as (
  select
    s.sasid, s.school_code, s.grade, a.subject, a.kind, a.gradespan, position(s.grade in a.grades) > 0 as is_grade,
    coalesce(s.assessment, '') = 'AL' as is_alternate,
    coalesce('test status ' || s.test_status, 'no test status')
    || case
      when a.gradespan = 'high' and coalesce(s.best_legacy_score, s.best_scaled_score) is not null
        then ', best result by the end of grade 10'
      else ''
    end as detail,
    m._delivery, m._row
  from ({{ subject_columns(ref('stg_mcas')) }}) as s
  inner join {{ ref('stg_mcas') }} as m on s.sasid = m.sasid
  inner join asked as a on s.subject = a.subject and coalesce({{ gradespan('s.grade') }}, a.gradespan) = a.gradespan
),

by_level as (
  {{ levels('sat', ['sasid', 'grade', 'subject', 'kind', 'gradespan', 'is_grade', 'is_alternate', 'detail', '_delivery', '_row']) }}
),

results as (
  select sasid, subject, 'achievement' as kind, score as amount from {{ ref('int_subject_results') }}
  union all
  select sasid, subject, 'growth' as kind, growth as amount from {{ ref('int_growth') }}
),

listed as (
  select
    s.subject || '_' || s.kind as indicator, s.org_code, s.gradespan, s.sasid,
    case
      when f.sasid is not null and r.sasid is not null then 'counted'
      when not s.is_grade then case s.kind when 'growth' then 'growth_grades' else 'tested_grades' end
      when a.sasid is null then 'record_no_enrolment'
      when a.is_first_year_el then 'record_first_year_el'
      when f.sasid is null then 'full_year'
      when s.kind = 'growth' and s.is_alternate then 'record_alternate_assessment'
      when s.kind = 'growth' then 'record_no_growth'
      else 'record_no_result'
    end as outcome,
    r.amount,
    'grade ' || s.grade || ', ' || s.detail as detail,
    s._delivery, s._row
  from by_level as s
  left join {{ ref('int_full_year_students') }} as f
    on s.org_code = f.org_code and s.gradespan = f.gradespan and s.sasid = f.sasid
  left join results as r on s.sasid = r.sasid and s.subject = r.subject and s.kind = r.kind
  left join {{ ref('int_student_attributes') }} as a on s.sasid = a.sasid
)

{{ records_by_group('listed', ref('int_student_groups')) }}
