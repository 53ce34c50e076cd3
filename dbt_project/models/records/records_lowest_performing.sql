-- The rows behind the figures of All Students, of which the lowest performing students count.
with ranked as (
  {{ lowest_performing_ranked() }}
),

everyone as (
  select * from {{ ref('records_mcas') }} where student_group = 'all_students' or student_group is null
  union all
  select * from {{ ref('records_chronic_absenteeism') }} where student_group = 'all_students' or student_group is null
)

select
  e.indicator, e.org_code, e.gradespan, e.sasid,
  case
    when e.outcome <> 'counted' or l.sasid is not null then e.outcome
    when r.sasid is not null then 'lowest_performing'
    else 'record_no_ranking'
  end as outcome,
  e.amount,
  e.detail || coalesce(
    ', place ' || cast(r.place as varchar) || ' from below of ' || cast(r.candidates as varchar) || ' in the grade', ''
  ) as detail,
  e._delivery, e._row,
  'lowest_performing' as student_group
from everyone as e
left join {{ ref('int_lowest_performing') }} as l
  on e.org_code = l.org_code and e.gradespan = l.gradespan and e.sasid = l.sasid
left join ranked as r on e.org_code = r.org_code and e.gradespan = r.gradespan and e.sasid = r.sasid
