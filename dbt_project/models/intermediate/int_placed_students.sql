-- Students tested, a row each, and where their results count: since October in the school or the district, everyone at the
-- state and in a district of one school; first-year English learners nowhere.
with tested as (
  select
    m.sasid, m.school_code, m.grade, a.profile,
    substring(m.school_code, 1, 4) || '0000' as district_code,
    {{ gradespan('m.grade') }} as gradespan
  from {{ ref('stg_mcas') }} as m
  inner join {{ ref('int_student_attributes') }} as a on m.sasid = a.sasid
  where not a.is_first_year_el
),

since_october as (
  select sasid, school_code
  from {{ ref('stg_sims') }}
  where collection_period = 'end_of_year' and enrolled_since_october = '1'
),

in_october as (
  select sasid, substring(school_code, 1, 4) || '0000' as district_code
  from {{ ref('stg_sims') }}
  where collection_period = 'october_1'
),

single_school as (
  select substring(org_code, 1, 4) || '0000' as district_code
  from {{ ref('stg_organisations') }}
  where org_type = 'school'
  group by substring(org_code, 1, 4)
  having count(*) = 1
),

placed as (
  select
    t.sasid, t.school_code, t.district_code, t.grade, t.gradespan, t.profile,
    s.sasid is not null as is_since_october_in_school,
    s.sasid is not null or exists (
      select 1 from in_october as o where o.sasid = t.sasid and o.district_code = t.district_code
    ) as is_since_october_in_district,
    d.district_code is not null and {{ policy_word('full_year', 'single_school_district') }} = 'all_tested' as is_all_tested
  from tested as t
  left join since_october as s on t.sasid = s.sasid and t.school_code = s.school_code
  left join single_school as d on t.district_code = d.district_code
)

select
  sasid, school_code, district_code, grade, gradespan, profile,
  is_since_october_in_school or is_all_tested or {{ policy_word('full_year', 'school') }} = 'all_tested' as counts_in_school,
  is_since_october_in_district or is_all_tested
  or {{ policy_word('full_year', 'district') }} = 'all_tested' as counts_in_district,
  {{ policy_word('full_year', 'state') }} = 'all_tested' or sasid in (select sasid from in_october) as counts_in_state
from placed
