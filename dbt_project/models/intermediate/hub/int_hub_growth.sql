-- The published growth percentile of the subjects and gradespans that have growth: the mean, in early years the median.
with averages as (
  {{ hub_mcas_average('avg_sgp', 'avg_sgp_incl', "r.growth_grades <> ''") }}
)

select
  org_code, gradespan, student_group,
  subject || '_growth' as indicator,
  'mean_sgp' as measure,
  cast({{ var('school_year') }} as integer) as data_year,
  figure,
  cast(null as bigint) as numerator,
  n as denominator,
  n,
  case when {{ hub_policy_word('hub_growth', 'statistic') }} = 'mean' then 'published' else 'median' end as situation
from averages
