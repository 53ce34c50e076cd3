{# Every row of a relation with a school_code three times: at its school, its district and the state (column org_code). #}
{% macro levels(relation, columns) -%}
  select school_code as org_code, {{ columns | join(', ') }} from {{ relation }}
  union all
  select substring(school_code, 1, 4) || '0000' as org_code, {{ columns | join(', ') }} from {{ relation }}
  union all
  select '00000000' as org_code, {{ columns | join(', ') }} from {{ relation }}
{%- endmacro %}

{# The rows of a relation, and whether their student has several: only these can come to something else at a district or the state
   than at a school. The few of them are added up by level, all others are as they are. #}
{% macro told_apart(relation) -%}
  select r.*, s.sasid is not null as is_of_several
  from {{ relation }} as r
  left join (select sasid from {{ relation }} group by sasid having count(*) > 1) as s on r.sasid = s.sasid
{%- endmacro %}

{# Rows of int_attending_students, or sums of them, at each place that they say something of. #}
{% macro everywhere(relation, columns) -%}
  select org_code, {{ columns | join(', ') }} from {{ relation }}
  union all
  select substring(org_code, 1, 4) || '0000' as org_code, {{ columns | join(', ') }} from {{ relation }} where is_everywhere
  union all
  select '00000000' as org_code, {{ columns | join(', ') }} from {{ relation }} where is_everywhere
{%- endmacro %}

{# Rows of int_placed_students, or sums of them, at each place where they count (columns org_code and org_type). #}
{% macro counted_places(relation, columns) -%}
  select school_code as org_code, 'school' as org_type, {{ columns | join(', ') }} from {{ relation }} where counts_in_school
  union all
  select district_code as org_code, 'district' as org_type, {{ columns | join(', ') }} from {{ relation }} where counts_in_district
  union all
  select '00000000' as org_code, 'state' as org_type, {{ columns | join(', ') }} from {{ relation }} where counts_in_state
{%- endmacro %}

{# Gradespan of a grade, null for a grade of neither. #}
{% macro gradespan(grade) -%}
  case
    when {{ grade }} between '01' and '08' then 'non_high'
    when {{ grade }} between '09' and '12' then 'high'
  end
{%- endmacro %}

{# A member of a cohort is a student of its own: one student can stand in two cohorts, with other attributes. #}
{% macro cohort_member() -%}
  cohort_span || '-' || cast(cohort_year as varchar) || '-' || sasid
{%- endmacro %}

{# Students of the cohort of `years_back` years before, after `span` years, and whether their outcome is one of `outcomes`. #}
{% macro cohort_outcome(span, years_back, outcomes) -%}
with cohort as (
  select sasid, school_code, outcome in ('{{ outcomes | join("', '") }}') as is_met
  from {{ ref('int_cohort_attributes') }}
  where cohort_span = '{{ span }}' and cohort_year = {{ (var('school_year') | int) - years_back }}
)

select org_code, 'high' as gradespan, sasid, is_met
from (
  {{ levels('cohort', ['sasid', 'is_met']) }}
) as by_level
{%- endmacro %}

{# Level of an organisation by its code. #}
{% macro org_type(org_code) -%}
  case
    when {{ org_code }} = '00000000' then 'state'
    when substring({{ org_code }}, 5, 4) = '0000' then 'district'
    else 'school'
  end
{%- endmacro %}
