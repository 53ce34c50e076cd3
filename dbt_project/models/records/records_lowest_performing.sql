-- The rows behind the figures of All Students, of which the lowest performing students count; up to grade 8 they were ranked
-- by a row of the year before.
with ranked as (
  {{ lowest_performing_ranked() }}
),

everyone as (
  select * from {{ ref('records_mcas') }} where student_group = 'all_students' or student_group is null
  union all
  select * from {{ ref('records_chronic_absenteeism') }} where student_group = 'all_students' or student_group is null
),

listed as (
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
    e._delivery, e._row
  from everyone as e
  left join {{ ref('int_lowest_performing') }} as l
    on e.org_code = l.org_code and e.gradespan = l.gradespan and e.sasid = l.sasid
  left join ranked as r on e.org_code = r.org_code and e.gradespan = r.gradespan and e.sasid = r.sasid
),

ranked_by as (
  select distinct
    l.indicator, l.org_code, l.gradespan, l.sasid, l.outcome, l.amount, 'ranked by this result' as detail, m._delivery, m._row
  from listed as l
  inner join {{ ref('stg_mcas_prior') }} as m on l.sasid = m.sasid
  where l.outcome = 'counted' and l.gradespan = 'non_high'
)

select *, 'lowest_performing' as student_group from listed
union all
select *, 'lowest_performing' as student_group from ranked_by
