-- The policy of the year by subject and gradespan: grades that count, grades with growth, and the measure.
with tested as (
  {{ by_subject('tested_grades') }}
),

measures as (
  {{ by_subject('achievement_measure') }}
),

growth as (
  {{ by_subject('growth_grades') }}
)

select
  t.subject, t.gradespan,
  t.value as tested_grades,
  m.value as measure,
  coalesce(g.value, '') as growth_grades
from tested as t
inner join measures as m on t.subject = m.subject and t.gradespan = m.gradespan
left join growth as g on t.subject = g.subject and t.gradespan = g.gradespan
