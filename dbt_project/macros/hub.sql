{# The hub source: published rows of organisations instead of students. #}

{# Years that the figures of an indicator lie behind the determination: those of its delivery (policy rule data_lag). #}
{% macro hub_lag(indicator) -%}
  {%- set delivery = {
    'four_year_graduation': 'hub_graduation_rates',
    'extended_engagement': 'hub_graduation_rates_five_year',
    'annual_dropout': 'hub_dropout',
  }.get(indicator) -%}
  {{ return(var('lags').get(delivery, 0) | int) }}
{%- endmacro %}

{# School year of those figures. #}
{% macro hub_data_year(indicator) -%}
  {{ return((var('school_year') | int) - hub_lag(indicator)) }}
{%- endmacro %}

{# Accepted rows of a hub data set that an indicator takes, of the school year it takes them from. #}
{% macro hub_snapshot(collection, indicator) -%}
  {{ return(read_files(var('snapshots').get(hub_data_year(indicator) | string, {}).get(collection, []))) }}
{%- endmacro %}

{# Rows of the hub's policy in force in the year that is built. #}
{% macro hub_policy_rows(rule_id) -%}
  select parameter, value
  from {{ ref('policy_hub') }}
  where rule_id = '{{ rule_id }}' and policy_year in ('{{ var("school_year") }}', 'every')
{%- endmacro %}

{# One word of it; no row gives null, which no comparison passes. #}
{% macro hub_policy_word(rule_id, parameter) -%}
  (select value from ({{ hub_policy_rows(rule_id) }}) as policy_row where parameter = '{{ parameter }}')
{%- endmacro %}

{# Rows of a hub data set in our student groups; the hub's other groups fall away. #}
{% macro hub_grouped(relation) -%}
  select h.*, g.student_group
  from {{ relation }} as h
  inner join {{ ref('hub_student_groups') }} as g
    on h.stu_grp = g.stu_grp and h.sy between coalesce(g.first_year, h.sy) and coalesce(g.last_year, h.sy)
{%- endmacro %}

{# A published fraction of 1 in percent with one decimal, half up, in decimals: no float, no half to even. #}
{% macro in_percent(fraction) -%}
  cast(floor({{ fraction }} * 1000 + 0.5) as decimal(9, 0)) * 0.1
{%- endmacro %}

{# The columns of a hub figure, the same in every model of one; `data_year` is that of the indicator. #}
{% macro hub_figure(indicator, measure='percent') -%}
  '{{ indicator }}' as indicator,
  '{{ measure }}' as measure,
  cast({{ hub_data_year(indicator) }} as integer) as data_year
{%- endmacro %}

{# Students of a group in the grades that count: enrolment times the group's share of the organisation, half up. #}
{% macro hub_enrolled(enrolled, share) -%}
  cast(floor({{ enrolled }} * {{ share }} + 0.5) as bigint)
{%- endmacro %}

{# One published average a subject, gradespan and group (`chosen`: on which int_subject_rules). Of several rows the mean
   of their averages, weighted with their students and rounded once; a row without an average is left out of it. #}
{% macro hub_mcas_average(average, students, chosen) -%}
  select
    org_code, gradespan, student_group, subject,
    cast({{ half_up(1, 'weighted_tenths', 'nullif(averaged, 0)') }} as decimal(9, 0)) * 0.1 as figure,
    cast(coalesce(averaged, students) as bigint) as n
  from (
    select
      h.org_code, m.gradespan, h.student_group, m.subject,
      sum(cast(h.{{ average }} * 10 as bigint) * h.{{ students }}) as weighted_tenths,
      sum(case when h.{{ average }} is not null then h.{{ students }} end) as averaged,
      sum(h.{{ students }}) as students
    from ({{ hub_grouped(ref('stg_hub_mcas_achievement')) }}) as h
    inner join {{ ref('hub_mcas_rows') }} as m on h.subject_code = m.subject_code and h.test_grade = m.test_grade
    inner join {{ ref('int_subject_rules') }} as r on m.subject = r.subject and m.gradespan = r.gradespan
    where {{ chosen }}
    group by h.org_code, m.gradespan, h.student_group, m.subject
  ) as pooled
{%- endmacro %}
