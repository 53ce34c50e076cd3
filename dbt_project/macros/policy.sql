{# A number of the policy register in force in the year that is built; no row gives null, which no comparison passes. #}
{% macro policy(rule_id, parameter) -%}
  (
    select cast(value as decimal(18, 6))
    from {{ ref('policy_indicators') }}
    where rule_id = '{{ rule_id }}' and parameter = '{{ parameter }}'
      and policy_year in ('{{ var("school_year") }}', 'every')
  )
{%- endmacro %}
