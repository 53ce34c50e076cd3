-- Achievement, growth and chronic absenteeism of the lowest performing students. Science only where the policy has it.
with sums as (
  {{ mcas_sums(ref('int_lowest_performing'), ['org_code', 'gradespan']) }}
),

mcas as (
  {{ mcas_figures("(select *, 'lowest_performing' as student_group from sums) as of_the_quarter") }}
),

absent as (
  select
    l.org_code, l.gradespan, 'lowest_performing' as student_group, 'chronic_absenteeism' as indicator,
    sum(case when c.is_met then 1 else 0 end) as numerator, count(*) as denominator
  from {{ ref('int_lowest_performing') }} as l
  inner join {{ ref('int_attending_students') }} as c
    on l.sasid = c.sasid and l.gradespan = c.gradespan
      and (l.org_code = c.org_code or (c.is_everywhere and l.org_code in (substring(c.org_code, 1, 4) || '0000', '00000000')))
  group by l.org_code, l.gradespan
),

organisations as (
  select distinct org_code, org_type, gradespan, reporting from {{ ref('int_lowest_performing') }}
),

with_science as (
  {{ policy_rows('lowest_performing_science') }}
)

select f.org_code, f.gradespan, f.student_group, f.indicator, f.numerator, f.denominator, o.reporting
from (select * from mcas union all select * from absent) as f
inner join organisations as o on f.org_code = o.org_code and f.gradespan = o.gradespan
inner join with_science as w on w.parameter = o.org_type || '_' || o.gradespan
where f.indicator <> 'science_achievement' or w.value = 'yes'
