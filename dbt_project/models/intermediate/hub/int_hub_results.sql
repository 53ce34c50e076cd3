-- Every figure of the hub with its minimum n, status and note; a row also for what the hub does not give.
with published as (
  {%- for indicator in [
    'achievement', 'growth', 'chronic_absenteeism', 'four_year_graduation', 'extended_engagement', 'annual_dropout',
    'advanced_coursework', 'el_progress'
  ] %}
  select
    org_code, gradespan, student_group, indicator, measure, data_year, figure, numerator, denominator, n, situation
  from {{ ref('int_hub_' ~ indicator) }}
  {{ 'union all' if not loop.last }}
  {%- endfor %}
),

-- without the rows that say nothing, of organisations that the indicator does not concern
figures as (
  select p.*
  from published as p
  left join {{ ref('int_hub_expected') }} as e
    on p.org_code = e.org_code and p.gradespan = e.gradespan and p.indicator = e.indicator
  where p.figure is not null or p.n is not null or e.org_code is not null
),

-- who ought to have a row of All Students
expected as (
  select org_code, gradespan, indicator, measure from {{ ref('int_hub_expected') }}
  union
  select org_code, gradespan, indicator, measure from figures
),

absent as (
  select
    e.org_code, e.gradespan, 'all_students' as student_group, e.indicator, e.measure,
    case e.indicator
      {%- for indicator in ['four_year_graduation', 'extended_engagement', 'annual_dropout'] %}
      when '{{ indicator }}' then {{ hub_data_year(indicator) }}
      {%- endfor %}
      else {{ var('school_year') }}
    end as data_year,
    case
      when e.measure = 'cpi' then 'cpi_year'
      when p.indicator is null then 'no_data'
      else 'no_row'
    end as situation
  from expected as e
  left join figures as f
    on e.org_code = f.org_code and e.gradespan = f.gradespan and e.indicator = f.indicator
    and f.student_group = 'all_students'
  left join (select distinct indicator, gradespan from figures) as p
    on e.indicator = p.indicator and e.gradespan = p.gradespan
  where f.org_code is null
),

judged as (
  select
    f.*,
    case
      when f.n < case when f.measure = 'mean_sgp' then {{ policy('minimum_n', 'growth') }}
        else {{ policy('minimum_n', 'students') }} end then 'n_too_small'
      when f.figure is null or f.n is null then 'missing_source'
      when f.situation = 'median' then 'not_applicable'
      else 'ok'
    end as status
  from figures as f
),

results as (
  select
    org_code, gradespan, student_group, indicator, measure,
    case when status in ('ok', 'not_applicable') then figure end as value,
    numerator, nullif(denominator, 0) as denominator, n, data_year, status,
    case when status = 'missing_source' then 'no_value' else situation end as situation
  from judged
  union all
  select
    org_code, gradespan, student_group, indicator, measure,
    null as value,
    null as numerator, null as denominator, null as n, data_year,
    'missing_source' as status,
    situation
  from absent
)

select
  r.org_code, r.gradespan, r.student_group, r.indicator, r.measure,
  cast(r.value as decimal(9, 1)) as value,
  cast(r.numerator as bigint) as numerator,
  cast(r.denominator as bigint) as denominator,
  cast(r.n as bigint) as n,
  cast(r.data_year as integer) as data_year,
  r.status,
  t.note
from results as r
left join {{ ref('hub_notes') }} as t
  on r.indicator = t.indicator and r.gradespan = t.gradespan and r.situation = t.situation
