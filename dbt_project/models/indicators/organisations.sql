-- Every organisation of the year with its enrolment; one row each, also of one without a figure.
with delivered as (
  select *, 'student' as source from {{ ref('int_student_organisations') }}
  union all
  select *, 'hub' as source from {{ ref('int_hub_organisations') }}
),

of_source as (
  select * from delivered
  where source = '{{ var("source") }}'
),

schools as (
  select district_code, count(*) as schools
  from of_source
  where {{ org_type('org_code') }} = 'school'
  group by district_code
)

select
  cast({{ var('school_year') | int }} as integer) as school_year,
  o.org_code,
  {{ org_type('o.org_code') }} as org_type,
  o.org_name, o.district_code, o.school_type, o.town, o.county, o.former_center, o.title_i, o.lowest_grade, o.highest_grade,
  cast(o.enrolment as bigint) as enrolment,
  cast(o.enrolment_non_high as bigint) as enrolment_non_high,
  cast(o.enrolment_high as bigint) as enrolment_high,
  cast(o.high_needs as bigint) as high_needs,
  cast(case when {{ org_type('o.org_code') }} = 'state' then (select sum(schools) from schools) else coalesce(s.schools, 0) end as bigint) as schools,
  o.source
from of_source as o
left join schools as s on o.org_code = s.district_code
