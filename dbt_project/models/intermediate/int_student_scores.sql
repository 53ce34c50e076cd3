-- One row a student with a result: the scores and growth percentiles side by side, so that groups are joined once.
with figures as (
  select sasid, subject || '_achievement' as indicator, score as figure from {{ ref('int_subject_results') }}
  union all
  select sasid, subject || '_growth' as indicator, growth as figure from {{ ref('int_growth') }}
)

select
  sasid
  {%- for indicator in mcas_indicators() %},
  max(case when indicator = '{{ indicator }}' then figure end) as {{ indicator }}
  {%- endfor %}
from figures
group by sasid
