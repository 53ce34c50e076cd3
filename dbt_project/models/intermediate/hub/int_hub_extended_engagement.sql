-- Graduated within five years or still in school, of the cohort of two years before. Both shares are rounded by the
-- hub, so that their sum may pass the whole cohort by a thousandth; it is held at the whole.
select
  org_code, 'high' as gradespan, student_group,
  {{ hub_figure('extended_engagement') }},
  {{ in_percent('case when grad_pct + in_sch_pct > 1 then 1 else grad_pct + in_sch_pct end') }} as figure,
  cast(null as bigint) as numerator,
  cohort_cnt as denominator,
  cohort_cnt as n,
  'published' as situation
from ({{ hub_grouped(ref('stg_hub_graduation_rates_five_year')) }}) as grouped
where grad_rate_type = {{ hub_policy_word('hub_rows', 'extended_engagement') }}
