-- Every row of the graduation cohorts of a place, for the indicator of its span.
with counted as (
  select 'four_year_graduation' as indicator, org_code, sasid as member, is_met from {{ ref('int_four_year_graduation') }}
  union all
  select 'extended_engagement' as indicator, org_code, sasid as member, is_met from {{ ref('int_extended_engagement') }}
),

delivered as (
  select
    case cast(cohort_span as varchar) when '4' then 'four_year_graduation' else 'extended_engagement' end as indicator,
    sasid, school_code, {{ cohort_member() }} as member, cohort_year, outcome as ending, _delivery, _row
  from {{ ref('stg_graduation_cohorts') }}
),

by_level as (
  {{ levels('delivered', ['indicator', 'sasid', 'member', 'cohort_year', 'ending', '_delivery', '_row']) }}
),

listed as (
  select
    d.indicator, d.org_code, 'high' as gradespan, d.sasid, d.member,
    case when c.member is null then 'record_cohort' else 'counted' end as outcome,
    case when c.is_met then 1 else 0 end as amount,
    'cohort of ' || cast(d.cohort_year as varchar) || ', ' || d.ending as detail,
    d._delivery, d._row
  from by_level as d
  left join counted as c on d.indicator = c.indicator and d.org_code = c.org_code and d.member = c.member
)

{{ records_by_group('listed', ref('int_cohort_groups'), key='member') }}
