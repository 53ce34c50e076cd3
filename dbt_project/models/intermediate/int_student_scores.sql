-- One row a student with a result: scores and growth percentiles side by side, so that groups are joined once.
with figures as (
  select sasid, subject, score, ranking_score, null as growth from {{ ref('int_subject_results') }}
  union all
  select sasid, subject, null as score, null as ranking_score, growth from {{ ref('int_growth') }}
)

select
  sasid,
  max(case when subject = 'ela' then score end) as ela_achievement,
  max(case when subject = 'math' then score end) as math_achievement,
  max(case when subject = 'science' then score end) as science_achievement,
  max(case when subject = 'ela' then growth end) as ela_growth,
  max(case when subject = 'math' then growth end) as math_growth,
  max(case when subject = 'ela' then ranking_score end) as ela_ranking,
  max(case when subject = 'math' then ranking_score end) as math_ranking
from figures
group by sasid
