-- Every figure made from student records, with its measure, minimum n, rounding and status.
with counted as (
  {{ rate(ref('int_chronic_absenteeism'), ref('int_student_attributes'), 'chronic_absenteeism', 0) }}
  union all
  {{ rate(ref('int_el_progress'), ref('int_student_attributes'), 'el_progress', 0) }}
  union all
  {{ rate(ref('int_advanced_coursework'), ref('int_student_attributes'), 'advanced_coursework', 0) }}
  union all
  {{ rate(ref('int_annual_dropout'), ref('int_student_attributes_prior'), 'annual_dropout', 1) }}
  union all
  {{ rate(ref('int_four_year_graduation'), ref('int_cohort_attributes'), 'four_year_graduation', 1) }}
  union all
  {{ rate(ref('int_extended_engagement'), ref('int_cohort_attributes'), 'extended_engagement', 2) }}
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
