-- Achievement and growth of every group: sums of scores, points or percentiles over the students who count.
{{ mcas_figures(
  'select f.org_code, f.gradespan, g.student_group, f.sasid from ' ~ ref('int_full_year_students') ~ ' as f '
  ~ 'inner join ' ~ ref('int_student_groups') ~ ' as g on f.sasid = g.sasid'
) }}
