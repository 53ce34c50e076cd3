{{ config(materialized='view') }}
-- Growth percentiles of students tested in a grade that has them. MCAS-Alt has no growth.
-- A view: it is added up once, by int_student_scores, and a row a student and subject takes longer to write than to find.
with delivered as (
  select sasid, grade, 'ela' as subject, ela_growth_percentile as growth, ela_test_status as test_status,
    ela_assessment as assessment
  from {{ ref('stg_mcas') }}
  union all
  select sasid, grade, 'math' as subject, math_growth_percentile as growth, math_test_status as test_status,
    math_assessment as assessment
  from {{ ref('stg_mcas') }}
)

select d.sasid, d.subject, d.growth
from delivered as d
inner join {{ ref('int_subject_rules') }} as r on d.subject = r.subject and position(d.grade in r.growth_grades) > 0
where d.test_status = 'T' and d.growth is not null and coalesce(d.assessment, '') <> 'AL'
