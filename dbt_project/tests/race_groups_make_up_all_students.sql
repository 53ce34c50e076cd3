-- A student is in exactly one race group: the groups' students and numerators add up to those of All Students. Only from
-- student records; the hub leaves groups out.
select
  org_code, gradespan, indicator,
  sum(case when student_group = 'all_students' then n else 0 end) as all_students,
  sum(case when student_group = 'all_students' then 0 else n end) as race_groups,
  sum(case when student_group = 'all_students' then numerator else 0 end) as numerator_of_all_students,
  sum(case when student_group = 'all_students' then 0 else numerator end) as numerator_of_race_groups
from {{ ref('indicator_results') }}
where source = 'student'
  and (
    student_group = 'all_students'
    or student_group in (select student_group from {{ ref('race_ethnicity_groups') }})
  )
group by org_code, gradespan, indicator
having sum(case when student_group = 'all_students' then n else -n end) <> 0
  or sum(case when student_group = 'all_students' then numerator else -numerator end) <> 0
