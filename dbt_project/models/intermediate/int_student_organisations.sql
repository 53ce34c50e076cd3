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

everywhere as (
  {{ levels('enrolled', ['sasid', 'is_non_high', 'is_high']) }}
),

-- A student of two schools counts once in their district.
by_student as (
  select org_code, sasid, max(is_non_high) as is_non_high, max(is_high) as is_high
  from everywhere
  group by org_code, sasid
),

added_up as (
  select
    s.org_code,
    count(*) as enrolment,
    sum(s.is_non_high) as enrolment_non_high,
    sum(s.is_high) as enrolment_high,
    count(h.sasid) as high_needs
  from by_student as s
  left join high_needs as h on s.sasid = h.sasid
  group by s.org_code
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
