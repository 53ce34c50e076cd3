-- A student is in exactly one race group: the groups add up to All Students. Only from student records.
select
  org_code, gradespan, subject,
  sum(case when student_group = 'all_students' then should_test else 0 end) as all_students,
  sum(case when student_group = 'all_students' then 0 else should_test end) as race_groups,
  sum(case when student_group = 'all_students' then tested else 0 end) as tested_of_all_students,
  sum(case when student_group = 'all_students' then 0 else tested end) as tested_of_race_groups
from {{ ref('participation_results') }}
where source = 'student'
  and (
    student_group = 'all_students'
    or student_group in (select student_group from {{ ref('race_ethnicity_groups') }})
  )
group by org_code, gradespan, subject
having sum(case when student_group = 'all_students' then should_test else -should_test end) <> 0
  or sum(case when student_group = 'all_students' then tested else -tested end) <> 0
