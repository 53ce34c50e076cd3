{# Accepted rows of a collection, in force for the run. The run hands over the files; nothing is found by a pattern. #}
{% macro snapshot(collection) -%}
  {%- set year = (var('school_year') | int) - (var('lags').get(collection, 0) | int) -%}
  {{ return(read_files(var('snapshots').get(year | string, {}).get(collection, []))) }}
{%- endmacro %}

{% macro prior_snapshot(collection) -%}
  {{ return(read_files(var('snapshots').get(((var('school_year') | int) - 1) | string, {}).get(collection, []))) }}
{%- endmacro %}

{# What only one engine has: reading Parquet files by name. #}
{% macro read_files(paths) %}{{ return(adapter.dispatch('read_files')(paths)) }}{% endmacro %}

{% macro duckdb__read_files(paths) -%}
  {%- set quoted = [] -%}
  {%- for path in paths -%}{%- do quoted.append("'" ~ (path | replace("'", "''")) ~ "'") -%}{%- endfor -%}
  {{ return("read_parquet([" ~ (quoted | join(', ')) ~ "])") }}
{%- endmacro %}
