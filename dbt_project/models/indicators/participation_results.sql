-- Participation this year and over two years. One row an organisation, gradespan, student group and subject.
with counted as (
  select
    t.org_code, t.gradespan, t.student_group, t.subject, t.should_test, t.tested,
    t.should_test + p.should_test as two_year_should_test,
    t.tested + p.tested as two_year_tested,
    t.should_test >= {{ policy('minimum_n', 'participation') }} as is_enough
  from {{ ref('int_participation') }} as t
  left join {{ ref('int_participation_prior') }} as p
    on t.org_code = p.org_code and t.gradespan = p.gradespan and t.student_group = p.student_group and t.subject = p.subject
)

select
  cast({{ var('school_year') | int }} as integer) as school_year,
  org_code,
  {{ org_type('org_code') }} as org_type,
  gradespan,
  student_group,
  subject,
  cast(should_test as bigint) as should_test,
  cast(tested as bigint) as tested,
  cast(should_test - tested as bigint) as not_tested,
  cast(should_test as bigint) as n,
  cast(case when is_enough then {{ half_up(100, 'tested', 'should_test') }} end as integer) as rate,
  case when is_enough then 'ok' else 'n_too_small' end as status,
  cast(two_year_should_test as bigint) as two_year_should_test,
  cast(two_year_tested as bigint) as two_year_tested,
  cast(
    case when is_enough and two_year_tested is not null then {{ half_up(100, 'two_year_tested', 'two_year_should_test') }} end
    as integer
  ) as two_year_rate,
  case
    when not is_enough then 'n_too_small'
    when two_year_tested is null then 'no_prior_year'
    else 'ok'
  end as two_year_status,
  'student' as source
from counted
