{# The student-group bridge: a row a student and group, All Students included. The relation has one row a student with sasid,
   race_ethnicity and the three flags is_low_income, is_english_learner, is_disabled. #}
{% macro student_groups(relation) -%}
  select sasid, 'all_students' as student_group from {{ relation }}
  union all
  select sasid, 'high_needs' as student_group from {{ relation }}
  where is_low_income or is_english_learner or is_disabled
  union all
  select sasid, 'low_income' as student_group from {{ relation }} where is_low_income
  union all
  select sasid, 'el_and_former_el' as student_group from {{ relation }} where is_english_learner
  union all
  select sasid, 'students_with_disabilities' as student_group from {{ relation }} where is_disabled
  union all
  select s.sasid, r.student_group
  from {{ relation }} as s
  inner join {{ ref('race_ethnicity_groups') }} as r on s.race_ethnicity = r.race_ethnicity
{%- endmacro %}

{# One row a student: the latest period that has the student, then the highest school code. #}
{% macro student_attributes(sims) -%}
  select
    sasid, grade, race_ethnicity,
    low_income = '01' as is_low_income,
    english_learner = '01' or former_english_learner = '1' as is_english_learner,
    disability <> '500' as is_disabled,
    el_first_year = '01' as is_first_year_el
  from (
    select
      *,
      row_number() over (
        partition by sasid
        order by
          case collection_period when 'end_of_year' then 3 when 'march_1' then 2 else 1 end desc,
          school_code desc
      ) as place
    from {{ sims }}
  ) as ranked
  where place = 1
{%- endmacro %}

{# Numerator and denominator by organisation, gradespan and group. `counted` has org_code, gradespan, sasid, is_met: one row
   a student who counts. #}
{% macro rate(counted, groups, indicator, data_lag) -%}
  select
    c.org_code, c.gradespan, g.student_group,
    '{{ indicator }}' as indicator,
    'percent' as measure,
    sum(case when c.is_met then 1 else 0 end) as numerator,
    count(*) as denominator,
    {{ var('school_year') | int - data_lag }} as data_year,
    'reported' as reporting
  from {{ counted }} as c
  inner join {{ groups }} as g on c.sasid = g.sasid
  group by c.org_code, c.gradespan, g.student_group
{%- endmacro %}
