-- This year's participation.
{{ participation(ref('stg_mcas'), ref('int_student_attributes'), ref('stg_access'), 0) }}
