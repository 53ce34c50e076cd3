-- Every indicator of the year from the source of the run. One row an organisation, gradespan, student group and indicator.
with results as (
  select *, 'student' as source from {{ ref('int_student_results') }}
  union all
  select
    org_code, gradespan, student_group, indicator, measure, value, numerator, denominator, n, data_year, status, note,
    'hub' as source
  from {{ ref('int_hub_results') }}
)

select
  cast({{ var('school_year') | int }} as integer) as school_year,
  org_code,
  {{ org_type('org_code') }} as org_type,
  gradespan,
  student_group,
  indicator,
  measure,
  value,
  cast(numerator as bigint) as numerator,
  cast(denominator as bigint) as denominator,
  cast(n as bigint) as n,
  cast(data_year as integer) as data_year,
  source,
  status,
  note
from results
where source = '{{ var("source") }}'
