-- Shares of students counted this year, each with the groups of the year.
{{ rate_everywhere(ref('int_attending_students'), ref('int_student_attributes'), 'chronic_absenteeism', 0) }}
union all
{{ rate(ref('int_el_progress'), ref('int_student_attributes'), 'el_progress', 0) }}
union all
{{ rate(ref('int_advanced_coursework'), ref('int_student_attributes'), 'advanced_coursework', 0) }}
