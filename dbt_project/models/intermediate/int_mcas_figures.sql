-- Achievement and growth of every group: sums of scores, points or percentiles over the students who count.
with alike as (
  {{ mcas_sums(ref('int_placed_students'), ['school_code', 'district_code', 'gradespan', 'profile', 'counts_in_school',
                                            'counts_in_district', 'counts_in_state']) }}
),

by_profile as (
  {{ counted_places('alike', ['gradespan', 'profile'] + mcas_sum_columns()) }}
),

by_group as (
  select
    p.org_code, p.gradespan, g.student_group
    {%- for column in mcas_sum_columns() %},
    sum(p.{{ column }}) as {{ column }}
    {%- endfor %}
  from by_profile as p
  inner join {{ ref('int_profile_groups') }} as g on p.profile = g.profile
  group by p.org_code, p.gradespan, g.student_group
)

{{ mcas_figures('by_group') }}
