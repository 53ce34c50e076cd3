-- Every organisation of the directory with its October enrolment by gradespan.
with grades as (
  {{ policy_rows('enrolment_grades') }}
),

enrolled as (
  select
    s.sasid, s.school_code,
    case when g.parameter = 'non_high' then 1 else 0 end as is_non_high,
    case when g.parameter = 'high' then 1 else 0 end as is_high
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

told_apart as (
  {{ told_apart('enrolled') }}
),

known as (
  select t.*, case when h.sasid is null then 0 else 1 end as is_high_needs
  from told_apart as t
  left join high_needs as h on t.sasid = h.sasid
),

by_school as (
  select
    school_code, count(*) as students, sum(is_non_high) as non_high, sum(is_high) as high, sum(is_high_needs) as high_needs
  from known
  where not is_of_several
  group by school_code
),

of_several_by_level as (
  {{ levels('(select * from known where is_of_several) as of_several', ['sasid', 'is_non_high', 'is_high', 'is_high_needs']) }}
),

-- A student of two schools counts once in their district.
counted as (
  {{ levels('by_school', ['students', 'non_high', 'high', 'high_needs']) }}
  union all
  select org_code, 1 as students, max(is_non_high) as non_high, max(is_high) as high, max(is_high_needs) as high_needs
  from of_several_by_level
  group by org_code, sasid
),

added_up as (
  select
    org_code, sum(students) as enrolment, sum(non_high) as enrolment_non_high, sum(high) as enrolment_high,
    sum(high_needs) as high_needs
  from counted
  group by org_code
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
