-- Achievement and growth of every group: sums of scores, points or percentiles over the students who count.
with by_profile as (
  {{ mcas_sums(ref('int_full_year_students'), ['org_code', 'gradespan', 'profile']) }}
),

by_group as (
  select
    p.org_code, p.gradespan, g.student_group
    {%- for indicator in mcas_indicators() %},
    sum(p.{{ indicator }}_sum) as {{ indicator }}_sum, sum(p.{{ indicator }}_count) as {{ indicator }}_count
    {%- endfor %}
  from by_profile as p
  inner join {{ ref('int_profile_groups') }} as g on p.profile = g.profile
  group by p.org_code, p.gradespan, g.student_group
)

{{ mcas_figures('by_group') }}
