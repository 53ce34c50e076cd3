-- Every indicator that is a share of students, with its minimum n and rounding. One row where at least one student counts.
with counted as (
  {{ rate(ref('int_chronic_absenteeism'), ref('int_student_groups'), 'chronic_absenteeism', 0) }}
  union all
  {{ rate(ref('int_el_progress'), ref('int_student_groups'), 'el_progress', 0) }}
  union all
  {{ rate(ref('int_advanced_coursework'), ref('int_student_groups'), 'advanced_coursework', 0) }}
  union all
  {{ rate(ref('int_annual_dropout'), ref('int_student_groups_prior'), 'annual_dropout', 1) }}
  union all
  {{ rate(ref('int_four_year_graduation'), ref('int_cohort_groups'), 'four_year_graduation', 1) }}
  union all
  {{ rate(ref('int_extended_engagement'), ref('int_cohort_groups'), 'extended_engagement', 2) }}
)

select
  cast({{ var('school_year') | int }} as integer) as school_year,
  org_code,
  case
    when org_code = '00000000' then 'state'
    when substring(org_code, 5, 4) = '0000' then 'district'
    else 'school'
  end as org_type,
  gradespan,
  student_group,
  indicator,
  case
    when denominator >= {{ policy('minimum_n', 'students') }}
      then cast({{ percent('numerator', 'denominator') }} as decimal(9, 1))
  end as value,
  cast(numerator as bigint) as numerator,
  cast(denominator as bigint) as denominator,
  cast(denominator as bigint) as n,
  cast(data_year as integer) as data_year,
  'student' as source,
  case when denominator >= {{ policy('minimum_n', 'students') }} then 'ok' else 'n_too_small' end as status
from counted
