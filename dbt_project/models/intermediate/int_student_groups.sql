{{ student_groups(ref('int_student_attributes')) }}
