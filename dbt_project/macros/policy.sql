{# Rows of the policy register in force in a year (`years_back` before the one that is built). #}
{% macro policy_rows(rule_id, years_back=0) -%}
  select parameter, value
  from {{ ref('policy_indicators') }}
  where rule_id = '{{ rule_id }}' and policy_year in ('{{ (var("school_year") | int) - years_back }}', 'every')
{%- endmacro %}

{# One word of the register; no row gives null, which no comparison passes. #}
{% macro policy_word(rule_id, parameter) -%}
  (select value from ({{ policy_rows(rule_id) }}) as policy_row where parameter = '{{ parameter }}')
{%- endmacro %}

{# One number of the register. #}
{% macro policy(rule_id, parameter) -%}
  cast({{ policy_word(rule_id, parameter) }} as decimal(18, 6))
{%- endmacro %}
