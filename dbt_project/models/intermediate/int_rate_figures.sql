-- Every share of students, each with the groups of the year that its students are counted in.
{{ rate_everywhere(ref('int_attending_students'), ref('int_student_attributes'), 'chronic_absenteeism', 0) }}
union all
{{ rate(ref('int_el_progress'), ref('int_student_attributes'), 'el_progress', 0) }}
union all
{{ rate(ref('int_advanced_coursework'), ref('int_student_attributes'), 'advanced_coursework', 0) }}
union all
{{ rate(ref('int_annual_dropout'), ref('int_student_attributes_prior'), 'annual_dropout', 1) }}
union all
{{ rate(ref('int_four_year_graduation'), ref('int_cohort_attributes'), 'four_year_graduation', 1) }}
union all
{{ rate(ref('int_extended_engagement'), ref('int_cohort_attributes'), 'extended_engagement', 2) }}
