-- Share of an organisation's enrolment in each student group that the hub publishes; everyone for All Students.
{%- set share_columns = [
  'hn_pct', 'ecd_pct', 'li_pct', 'swd_pct', 'aian_pct', 'as_pct', 'baa_pct', 'hl_pct', 'mnhl_pct', 'nhpi_pct', 'wh_pct'
] %}
with shares as (
  {%- for column in share_columns %}
  select org_code, sy, '{{ column }}' as share_column, {{ column }} as share
  from {{ ref('stg_hub_enrollment') }}
  {{ 'union all' if not loop.last }}
  {%- endfor %}
)

select s.org_code, g.student_group, s.share
from shares as s
inner join {{ ref('hub_student_groups') }} as g
  on s.share_column = g.share_column and s.sy between coalesce(g.first_year, s.sy) and coalesce(g.last_year, s.sy)
where s.share is not null
union all
select org_code, 'all_students' as student_group, cast(1 as decimal(18, 6)) as share
from {{ ref('stg_hub_enrollment') }}
