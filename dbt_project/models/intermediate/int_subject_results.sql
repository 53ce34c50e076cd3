{{ config(materialized='view') }}
-- The result of each student and subject in the measure of the year. `ranking_score` puts students of one test in order:
-- the score on the scale that the measure is made from, MCAS-Alt in a CPI year at the highest band of equal points.
-- A view: int_student_scores alone reads it, and a row a student and subject takes longer to write than to find.
with delivered as (
  select
    m.*, r.gradespan, r.measure,
    case when r.subject = 'science' and r.gradespan = 'high' then m.best_scaled_score end as best_scaled,
    case when r.subject = 'science' and r.gradespan = 'high' then m.best_legacy_score end as best_legacy
  from ({{ subject_columns(ref('stg_mcas')) }}) as m
  inner join {{ ref('int_subject_rules') }} as r on m.subject = r.subject and position(m.grade in r.tested_grades) > 0
),

on_scale as (
  select
    sasid, school_code, grade, gradespan, subject, measure,
    coalesce(best_scaled, case when test_status = 'T' then scaled_score end) as scaled_score,
    coalesce(
      best_legacy,
      case
        when test_status = 'T' and assessment = 'LG' then scaled_score
        when test_status = 'T' and assessment = 'NG' then legacy_equivalent
      end
    ) as legacy_score,
    case when best_legacy is null and test_status = 'T' and assessment = 'AL' then performance_other end as alternate_level
  from delivered
),

alternate as (
  select p.parameter as alternate_level, cast(p.value as integer) as points, max(b.lower_bound) as legacy_score
  from ({{ policy_rows('cpi_alternate') }}) as p
  left join {{ ref('int_cpi_bands') }} as b on b.points = cast(p.value as integer)
  group by p.parameter, p.value
),

scored as (
  select
    s.sasid, s.school_code, s.grade, s.gradespan, s.subject, s.measure,
    case s.measure when 'scaled_score' then s.scaled_score else coalesce(b.points, a.points) end as score,
    case s.measure
      when 'scaled_score' then s.scaled_score
      else coalesce(s.legacy_score, a.legacy_score)
    end as ranking_score
  from on_scale as s
  left join {{ ref('int_cpi_bands') }} as b
    on s.legacy_score >= b.lower_bound and (b.upper_bound is null or s.legacy_score < b.upper_bound)
  left join alternate as a on s.alternate_level = a.alternate_level
)

select * from scored
where score is not null
