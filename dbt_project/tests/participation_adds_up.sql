-- A student is tested in one school: the schools of a district add up to it, and the districts to the state. Only from
-- student records.
with figures as (
  select org_code, org_type, gradespan, student_group, subject, should_test, tested
  from {{ ref('participation_results') }}
  where source = 'student'
),

both_sides as (
  select org_code, gradespan, student_group, subject, should_test, tested
  from figures
  where org_type <> 'school'
  union all
  select
    case org_type when 'school' then substring(org_code, 1, 4) || '0000' else '00000000' end as org_code,
    gradespan, student_group, subject, -should_test as should_test, -tested as tested
  from figures
  where org_type <> 'state'
)

select
  org_code, gradespan, student_group, subject,
  sum(should_test) as should_test_beyond_its_parts, sum(tested) as tested_beyond_its_parts
from both_sides
group by org_code, gradespan, student_group, subject
having sum(should_test) <> 0 or sum(tested) <> 0
