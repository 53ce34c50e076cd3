-- The lowest performing quarter of an organisation, by grade: non-high by last year's results of students who were already
-- there, high school by this year's. Twice the mean of both subjects, so that it stays a whole number.
with ranked as (
  {{ lowest_performing_ranked() }}
)

select r.org_code, r.org_type, r.gradespan, r.sasid, p.value as reporting
from ranked as r
inner join ({{ policy_rows('lowest_performing') }}) as p on p.parameter = r.org_type || '_' || r.gradespan
where r.place <= r.candidates * {{ policy('lowest_performing', 'share') }} and p.value <> 'none'
