-- Schools of the hub's October enrolment, and their districts and the state as the sums of them. Kindergarten belongs to the
-- non-high grades (rule enrolment_grades). The hub publishes neither Title I status nor, for a sum, high needs students.
-- Town and county come from the school directory where it is delivered; a district has those of its schools only.
with schools as (
  select
    org_code, coalesce(org_name, org_code) as org_name, dist_code as district_code,
    coalesce(total_cnt, 0) as enrolment,
    coalesce(k_cnt, 0) + coalesce(g1_cnt, 0) + coalesce(g2_cnt, 0) + coalesce(g3_cnt, 0) + coalesce(g4_cnt, 0)
      + coalesce(g5_cnt, 0) + coalesce(g6_cnt, 0) + coalesce(g7_cnt, 0) + coalesce(g8_cnt, 0) as enrolment_non_high,
    coalesce(g9_cnt, 0) + coalesce(g10_cnt, 0) + coalesce(g11_cnt, 0) + coalesce(g12_cnt, 0) as enrolment_high
  from {{ ref('stg_hub_enrollment') }}
  where substring(org_code, 5, 4) <> '0000'
),

places as (
  -- a programme at several addresses stands there several times
  select org_code, min(town) as town, min(county) as county
  from {{ ref('stg_hub_school_directory') }}
  group by org_code
),

levels as (
  select org_code, org_name, district_code, enrolment, enrolment_non_high, enrolment_high from schools
  union all
  select
    district_code as org_code,
    -- the hub writes a school's name as "District - School"
    min(case when position(' - ' in org_name) > 0 then substring(org_name, 1, position(' - ' in org_name) - 1) else district_code end)
      as org_name,
    district_code, sum(enrolment) as enrolment, sum(enrolment_non_high) as enrolment_non_high, sum(enrolment_high) as enrolment_high
  from schools
  group by district_code
  union all
  select
    '00000000' as org_code, 'State' as org_name, '00000000' as district_code,
    sum(enrolment) as enrolment, sum(enrolment_non_high) as enrolment_non_high, sum(enrolment_high) as enrolment_high
  from schools
  having count(*) > 0
)

select
  l.org_code, l.org_name, l.district_code,
  cast(null as varchar) as school_type,
  p.town,
  p.county,
  cast(null as varchar) as former_center,
  cast(null as varchar) as title_i,
  cast(null as varchar) as lowest_grade,
  cast(null as varchar) as highest_grade,
  l.enrolment, l.enrolment_non_high, l.enrolment_high,
  cast(null as bigint) as high_needs
from levels as l
left join places as p on l.org_code = p.org_code
