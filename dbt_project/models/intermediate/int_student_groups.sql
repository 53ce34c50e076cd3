{{ config(materialized='view') }}
{{ groups_of(ref('int_student_attributes')) }}
