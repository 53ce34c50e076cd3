-- Indicators that an organisation ought to have: it enrols students in a grade that counts, this year.
with by_grade as (
  {%- for grade in range(1, 13) %}
  select org_code, '{{ '%02d' % grade }}' as grade, g{{ grade }}_cnt as enrolled
  from {{ ref('stg_hub_enrollment') }}
  {{ 'union all' if not loop.last }}
  {%- endfor %}
)

select
  g.org_code, i.gradespan, i.indicator, i.measure,
  sum(g.enrolled) as enrolled,
  count(*) over (partition by g.org_code, i.indicator) > 1 as is_in_both_gradespans
from by_grade as g
inner join {{ ref('int_hub_indicators') }} as i on position(g.grade in i.grades) > 0
where g.enrolled > 0
group by g.org_code, i.gradespan, i.indicator, i.measure
