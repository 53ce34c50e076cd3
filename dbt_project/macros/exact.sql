{# Quotients rounded half up in whole-number arithmetic: no float, no half to even. #}

{# `times` x numerator / denominator as a whole number, half up. #}
{% macro half_up(times, numerator, denominator) -%}
  {{ return(adapter.dispatch('half_up')(times, numerator, denominator)) }}
{%- endmacro %}

{% macro duckdb__half_up(times, numerator, denominator) -%}
  ((2 * {{ times }} * {{ numerator }} + {{ denominator }}) // (2 * {{ denominator }}))
{%- endmacro %}

{# A mean with one decimal. #}
{% macro mean(numerator, denominator) -%}
  cast({{ half_up(10, numerator, denominator) }} as decimal(9, 0)) * 0.1
{%- endmacro %}

{# A share in percent with one decimal. #}
{% macro percent(numerator, denominator) -%}
  cast({{ half_up(1000, numerator, denominator) }} as decimal(9, 0)) * 0.1
{%- endmacro %}
