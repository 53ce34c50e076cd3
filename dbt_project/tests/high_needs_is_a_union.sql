-- High needs has at least the students of each of its three groups, and at most all of them together. Only from student
-- records; the hub leaves groups out.
with groups as (
  select
    org_code, gradespan, indicator,
    max(case when student_group = 'high_needs' then n else 0 end) as high_needs,
    max(case when student_group <> 'high_needs' then n else 0 end) as largest_group,
    sum(case when student_group <> 'high_needs' then n else 0 end) as all_three
  from {{ ref('indicator_results') }}
  where source = 'student'
    and student_group in ('high_needs', 'low_income', 'el_and_former_el', 'students_with_disabilities')
  group by org_code, gradespan, indicator
)

select org_code, gradespan, indicator, high_needs, largest_group, all_three
from groups
where high_needs < largest_group or high_needs > all_three
