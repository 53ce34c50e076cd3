{{ student_groups(ref('int_cohort_attributes')) }}
