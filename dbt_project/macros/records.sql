{# The rows behind a figure. Every model of the folder records has the same columns: a row a student and delivered row. #}

{# `listed` (a CTE) with the student's groups; a student who is in none, because no record says, has null. #}
{% macro records_by_group(listed, groups, key='sasid') -%}
  {%- set columns = ['indicator', 'org_code', 'gradespan', 'sasid', 'outcome', 'amount', 'detail', '_delivery', '_row'] -%}
  select r.{{ columns | join(', r.') }}, g.student_group
  from {{ listed }} as r
  inner join {{ groups }} as g on r.{{ key }} = g.sasid
  union all
  select r.{{ columns | join(', r.') }}, null as student_group
  from {{ listed }} as r
  where r.{{ key }} not in (select sasid from {{ groups }})
{%- endmacro %}
