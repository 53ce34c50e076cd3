{{ config(materialized='view') }}
-- Students whose results count, at each place where they count.
{{ counted_places(ref('int_placed_students'), ['sasid', 'grade', 'gradespan', 'profile']) }}
