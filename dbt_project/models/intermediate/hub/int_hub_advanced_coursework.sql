-- The published rate of grades 11 and 12; where its counts are not published, n is enrolment.
select
  h.org_code, 'high' as gradespan, h.student_group,
  {{ hub_figure('advanced_coursework') }},
  {{ in_percent('h.adv_comp_pct') }} as figure,
  h.adv_comp_cnt as numerator,
  h.stu_cnt as denominator,
  coalesce(h.stu_cnt, {{ hub_enrolled('e.enrolled', 's.share') }}) as n,
  case when h.stu_cnt is null then 'enrolment' else 'published' end as situation
from ({{ hub_grouped(ref('stg_hub_advanced_coursework')) }}) as h
left join {{ ref('int_hub_expected') }} as e on h.org_code = e.org_code and e.indicator = 'advanced_coursework'
left join {{ ref('int_hub_group_shares') }} as s on h.org_code = s.org_code and h.student_group = s.student_group
