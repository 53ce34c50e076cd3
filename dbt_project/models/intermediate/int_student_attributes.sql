{{ student_attributes(ref('stg_sims')) }}
