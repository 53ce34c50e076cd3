{{ config(materialized='view') }}
{{ groups_of(ref('int_cohort_attributes')) }}
