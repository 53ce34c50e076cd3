-- Every organisation of the directory with its October enrolment by gradespan.
with grades as (
  {{ policy_rows('enrolment_grades') }}
),

enrolled as (
  select s.sasid, s.school_code, g.parameter as gradespan
  from {{ ref('stg_sims') }} as s
  left join grades as g on position(s.grade in g.value) > 0
  where s.collection_period = 'october_1'
),

high_needs as (
  select a.sasid
  from {{ ref('int_student_attributes') }} as a
  inner join {{ ref('int_profile_groups') }} as g on a.profile = g.profile
  where g.student_group = 'high_needs'
),

by_level as (
  select distinct org_code, sasid, gradespan
  from (
    {{ levels('enrolled', ['sasid', 'gradespan']) }}
  ) as everywhere
),

added_up as (
  select
    b.org_code,
    count(distinct b.sasid) as enrolment,
    sum(case when b.gradespan = 'non_high' then 1 else 0 end) as enrolment_non_high,
    sum(case when b.gradespan = 'high' then 1 else 0 end) as enrolment_high,
    count(distinct h.sasid) as high_needs
  from by_level as b
  left join high_needs as h on b.sasid = h.sasid
  group by b.org_code
)

select
  o.org_code, o.org_name, o.district_code, o.school_type, o.town, o.county, o.former_center, o.title_i,
  o.lowest_grade, o.highest_grade,
  coalesce(a.enrolment, 0) as enrolment,
  coalesce(a.enrolment_non_high, 0) as enrolment_non_high,
  coalesce(a.enrolment_high, 0) as enrolment_high,
  a.high_needs
from {{ ref('stg_organisations') }} as o
left join added_up as a on o.org_code = a.org_code
where o.closed_year is null or o.closed_year >= {{ var("school_year") }}
