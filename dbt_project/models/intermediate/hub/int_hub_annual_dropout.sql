-- The published rate of grades 9 to 12 of the year before, with its counts.
select
  org_code, 'high' as gradespan, student_group,
  {{ hub_figure('annual_dropout') }},
  {{ in_percent('drpout_pct_all') }} as figure,
  drpout_cnt_all as numerator,
  enroll_cnt_all as denominator,
  enroll_cnt_all as n,
  'published' as situation
from ({{ hub_grouped(ref('stg_hub_dropout')) }}) as grouped
