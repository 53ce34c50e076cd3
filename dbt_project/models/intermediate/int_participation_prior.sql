-- Participation of the year before, by its own records, groups and policy.
{{ participation(ref('stg_mcas_prior'), ref('int_student_attributes_prior'), ref('stg_access_prior'), 1) }}
