-- Every figure made from student records, with its measure, minimum n, rounding and status.
with counted as (
  select
    org_code, gradespan, student_group, indicator, 'percent' as measure, numerator, denominator, data_year,
    'reported' as reporting
  from (select * from {{ ref('int_rate_figures') }} union all select * from {{ ref('int_earlier_rate_figures') }}) as rates
  union all
  {{ mcas_measures(ref('int_mcas_figures'), "'reported'") }}
  union all
  {{ mcas_measures(ref('int_lowest_performing_figures'), 'f.reporting') }}
),

judged as (
  select
    c.*,
    c.denominator >= cast(coalesce(own.value, everyone.value) as integer) as is_enough
  from counted as c
  left join ({{ policy_rows('minimum_n') }}) as own on own.parameter = 'growth' and c.measure = 'mean_sgp'
  left join ({{ policy_rows('minimum_n') }}) as everyone on everyone.parameter = 'students'
)

select
  org_code, gradespan, student_group, indicator, measure,
  cast(
    case
      when is_enough and measure = 'percent' then {{ percent('numerator', 'denominator') }}
      when is_enough then {{ mean('numerator', 'denominator') }}
    end as decimal(9, 1)
  ) as value,
  numerator, denominator,
  denominator as n,
  data_year,
  case
    when not is_enough then 'n_too_small'
    when reporting = 'reported' then 'ok'
    else 'not_applicable'
  end as status,
  cast(null as varchar) as note
from judged
