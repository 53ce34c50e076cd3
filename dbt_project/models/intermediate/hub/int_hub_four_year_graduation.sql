-- The published four-year rate of the cohort of the year before.
select
  org_code, 'high' as gradespan, student_group,
  {{ hub_figure('four_year_graduation') }},
  {{ in_percent('grad_pct') }} as figure,
  cast(null as bigint) as numerator,
  cohort_cnt as denominator,
  cohort_cnt as n,
  'published' as situation
from ({{ hub_grouped(ref('stg_hub_graduation_rates')) }}) as grouped
where grad_rate_type = {{ hub_policy_word('hub_rows', 'four_year_graduation') }}
