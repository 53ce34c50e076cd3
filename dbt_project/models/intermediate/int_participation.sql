-- This year's participation.
{{ participation(ref('stg_mcas'), ref('int_student_attributes'), ref('int_student_groups'), ref('stg_access'), 0) }}
