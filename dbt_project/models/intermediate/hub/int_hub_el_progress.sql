-- The published share of English learners who made progress, all grades, in each gradespan served.
select
  h.org_code, e.gradespan, 'all_students' as student_group,
  {{ hub_figure('el_progress') }},
  {{ in_percent('h.re1_pct') }} as figure,
  cast(null as bigint) as numerator,
  cast(null as bigint) as denominator,
  h.enrolled_cnt as n,
  case when e.is_in_both_gradespans then 'shared' else 'published' end as situation
from {{ ref('stg_hub_access_reporting') }} as h
inner join {{ ref('int_hub_expected') }} as e on h.org_code = e.org_code and e.indicator = 'el_progress'
where h.grade = {{ hub_policy_word('hub_rows', 'el_progress') }}
