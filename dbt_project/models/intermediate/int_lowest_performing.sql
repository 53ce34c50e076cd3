-- The lowest performing quarter of an organisation, by grade: non-high by last year's results of students who were already
-- there, high school by this year's. Twice the mean of both subjects, so that it stays a whole number.
with last_year as (
  select
    sasid, school_code,
    case when ela_test_status = 'T' then ela_scaled_score end as ela,
    case when math_test_status = 'T' then math_scaled_score end as math
  from {{ ref('stg_mcas_prior') }}
),

this_year as (
  select
    sasid,
    max(case when subject = 'ela' then ranking_score end) as ela,
    max(case when subject = 'math' then ranking_score end) as math
  from {{ ref('int_subject_results') }}
  group by sasid
),

candidates as (
  select c.org_code, c.org_type, c.gradespan, c.grade, c.sasid, p.ela, p.math
  from {{ ref('int_full_year_students') }} as c
  inner join last_year as p
    on c.sasid = p.sasid
    and case c.org_type
      when 'school' then p.school_code
      when 'district' then substring(p.school_code, 1, 4) || '0000'
      else c.org_code
    end = c.org_code
  where c.gradespan = 'non_high'
  union all
  select c.org_code, c.org_type, c.gradespan, c.grade, c.sasid, t.ela, t.math
  from {{ ref('int_full_year_students') }} as c
  inner join this_year as t on c.sasid = t.sasid
  where c.gradespan = 'high'
),

ranked as (
  select
    c.org_code, c.org_type, c.gradespan, c.sasid,
    rank() over (
      partition by c.org_code, c.gradespan, c.grade
      order by coalesce(c.ela, c.math) + coalesce(c.math, c.ela)
    ) as place,
    count(*) over (partition by c.org_code, c.gradespan, c.grade) as candidates
  from candidates as c
  where coalesce(c.ela, c.math) is not null
    and exists (
      select 1
      from {{ ref('int_subject_rules') }} as r
      where r.subject <> 'science' and r.gradespan = c.gradespan and position(c.grade in r.tested_grades) > 0
    )
)

select r.org_code, r.org_type, r.gradespan, r.sasid, p.value as reporting
from ranked as r
inner join ({{ policy_rows('lowest_performing') }}) as p on p.parameter = r.org_type || '_' || r.gradespan
where r.place <= r.candidates * {{ policy('lowest_performing', 'share') }} and p.value <> 'none'
