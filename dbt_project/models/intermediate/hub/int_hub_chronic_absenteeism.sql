-- The published rate of all grades, in each gradespan that the organisation serves; n is enrolment, for want of counts.
with published as (
  select * from ({{ hub_grouped(ref('stg_hub_attendance')) }}) as grouped
  where attend_period = {{ hub_policy_word('hub_rows', 'chronic_absenteeism') }}
)

select
  p.org_code, e.gradespan, p.student_group,
  {{ hub_figure('chronic_absenteeism') }},
  {{ in_percent('p.pct_chron_abs_10') }} as figure,
  cast(null as bigint) as numerator,
  cast(null as bigint) as denominator,
  {{ hub_enrolled('e.enrolled', 's.share') }} as n,
  case when e.is_in_both_gradespans then 'shared' else 'published' end
  || case when p.student_group = 'all_students' then '' else '_group' end as situation
from published as p
inner join {{ ref('int_hub_expected') }} as e on p.org_code = e.org_code and e.indicator = 'chronic_absenteeism'
left join {{ ref('int_hub_group_shares') }} as s on p.org_code = s.org_code and p.student_group = s.student_group
