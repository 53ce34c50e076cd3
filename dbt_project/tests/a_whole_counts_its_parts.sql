-- Who counts at a school counts at its district, and who counts at a district counts for the state. The lowest performing
-- are chosen anew at each level. Only from student records; the hub publishes a district for itself.
with parts as (
  select
    case org_type when 'school' then substring(org_code, 1, 4) || '0000' else '00000000' end as whole_code,
    org_code, gradespan, student_group, indicator, n
  from {{ ref('indicator_results') }}
  where source = 'student' and org_type <> 'state' and student_group <> 'lowest_performing'
)

select p.whole_code, p.org_code, p.gradespan, p.student_group, p.indicator, p.n, w.n as n_of_the_whole
from parts as p
left join {{ ref('indicator_results') }} as w
  on p.whole_code = w.org_code and p.gradespan = w.gradespan and p.student_group = w.student_group
  and p.indicator = w.indicator and w.source = 'student'
where w.n is null or p.n > w.n
