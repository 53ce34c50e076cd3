{# The student-group bridge: a row a key and group, All Students included. The relation has race_ethnicity and the three flags
   is_low_income, is_english_learner, is_disabled. #}
{% macro student_groups(relation, key) -%}
  select {{ key }}, 'all_students' as student_group from {{ relation }}
  union all
  select {{ key }}, 'high_needs' as student_group from {{ relation }}
  where is_low_income or is_english_learner or is_disabled
  union all
  select {{ key }}, 'low_income' as student_group from {{ relation }} where is_low_income
  union all
  select {{ key }}, 'el_and_former_el' as student_group from {{ relation }} where is_english_learner
  union all
  select {{ key }}, 'students_with_disabilities' as student_group from {{ relation }} where is_disabled
  union all
  select s.{{ key }}, r.student_group
  from {{ relation }} as s
  inner join {{ ref('race_ethnicity_groups') }} as r on s.race_ethnicity = r.race_ethnicity
{%- endmacro %}

{# What decides a student's groups, in one short text: figures are added up by it first and by group afterwards, so that a million
   students need not be multiplied by their groups. #}
{% macro profile(race_ethnicity, is_low_income, is_english_learner, is_disabled) -%}
  coalesce({{ race_ethnicity }}, '--') || case when {{ is_low_income }} then 'l' else '-' end
  || case when {{ is_english_learner }} then 'e' else '-' end || case when {{ is_disabled }} then 'd' else '-' end
{%- endmacro %}

{# A row a student and group. #}
{% macro groups_of(attributes) -%}
select a.sasid, g.student_group
from {{ attributes }} as a
inner join {{ ref('int_profile_groups') }} as g on a.profile = g.profile
{%- endmacro %}

{# One row a student: the latest period that has the student, then the highest school code. #}
{% macro student_attributes(sims) -%}
with flagged as (
  select
    sasid,
    case collection_period when 'end_of_year' then '3' when 'march_1' then '2' else '1' end || school_code as place,
    race_ethnicity,
    low_income = '01' as is_low_income,
    english_learner = '01' or former_english_learner = '1' as is_english_learner,
    disability <> '500' as is_disabled,
    el_first_year = '01' as is_first_year_el
  from {{ sims }}
)

select
  sasid,
  max_by({{ profile('race_ethnicity', 'is_low_income', 'is_english_learner', 'is_disabled') }}, place) as profile,
  max_by(is_first_year_el, place) as is_first_year_el
from flagged
group by sasid
{%- endmacro %}

{# Numerator and denominator by organisation, gradespan and group. `counted` has org_code, gradespan, sasid, is_met: one row
   a student who counts; `attributes` the profile of each. #}
{% macro rate(counted, attributes, indicator, data_lag) -%}
  {{ rate_by_group('(' ~ rate_by_profile(counted, attributes) ~ ')', indicator, data_lag) }}
{%- endmacro %}

{# The same of rows that may say something of a district and the state too: added up first, then put there. #}
{% macro rate_everywhere(counted, attributes, indicator, data_lag) -%}
  {%- set by_place -%}
    with by_profile as (
      {{ rate_by_profile(counted, attributes, ['is_everywhere']) }}
    )

    {{ everywhere('by_profile', ['gradespan', 'profile', 'numerator', 'denominator']) }}
  {%- endset -%}
  {{ rate_by_group('(' ~ by_place ~ ')', indicator, data_lag) }}
{%- endmacro %}

{% macro rate_by_profile(counted, attributes, besides=[]) -%}
  {%- set by = ['c.org_code', 'c.gradespan', 'a.profile'] -%}
  {%- for column in besides -%}{%- do by.append('c.' ~ column) -%}{%- endfor -%}
  select
    {{ by | join(', ') }},
    sum(case when c.is_met then 1 else 0 end) as numerator,
    count(*) as denominator
  from {{ counted }} as c
  inner join {{ attributes }} as a on c.sasid = a.sasid
  group by {{ by | join(', ') }}
{%- endmacro %}

{% macro rate_by_group(by_profile, indicator, data_lag) -%}
  select
    p.org_code, p.gradespan, g.student_group,
    '{{ indicator }}' as indicator,
    sum(p.numerator) as numerator,
    sum(p.denominator) as denominator,
    {{ var('school_year') | int - data_lag }} as data_year
  from {{ by_profile }} as p
  inner join {{ ref('int_profile_groups') }} as g on p.profile = g.profile
  group by p.org_code, p.gradespan, g.student_group
{%- endmacro %}
