-- The published average scaled score, where the year asks for a scaled score: the hub has no CPI.
with averages as (
  {{ hub_mcas_average('avg_scaled_score', 'stu_cnt', "r.measure = 'scaled_score'") }}
)

select
  org_code, gradespan, student_group,
  subject || '_achievement' as indicator,
  'scaled_score' as measure,
  cast({{ var('school_year') }} as integer) as data_year,
  figure,
  cast(null as bigint) as numerator,
  n as denominator,
  n,
  'published' as situation
from averages
