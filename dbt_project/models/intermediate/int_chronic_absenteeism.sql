{{ config(materialized='view') }}
-- Students with enough days in membership at a place, and whether they were absent too often there.
{{ everywhere(ref('int_attending_students'), ['gradespan', 'sasid', 'is_met']) }}
