-- Every sims row of grades 9 to 12 of a place in the year before, and every row of the dropouts of that place.
with enrolled as (
  select sasid, school_code, collection_period, grade, _delivery, _row
  from {{ ref('stg_sims_prior') }}
  where {{ gradespan('grade') }} = 'high'
),

by_level as (
  {{ levels('enrolled', ['sasid', 'collection_period', 'grade', '_delivery', '_row']) }}
),

left_by_level as (
  {{ levels(ref('stg_dropouts'), ['sasid', '_delivery', '_row']) }}
),

listed as (
  select
    'annual_dropout' as indicator, e.org_code, 'high' as gradespan, e.sasid,
    case when c.sasid is null then 'record_no_october_1' else 'counted' end as outcome,
    case when c.is_met then 1 else 0 end as amount,
    'grade ' || e.grade || ' in ' || e.collection_period as detail,
    e._delivery, e._row
  from by_level as e
  left join {{ ref('int_annual_dropout') }} as c on e.org_code = c.org_code and e.sasid = c.sasid
  where c.sasid is null or e.collection_period = 'october_1'
  union all
  select
    'annual_dropout' as indicator, d.org_code, 'high' as gradespan, d.sasid,
    case when c.sasid is null then 'record_no_october_1' else 'counted' end as outcome,
    case when c.is_met then 1 else 0 end as amount,
    'listed as a dropout' as detail,
    d._delivery, d._row
  from left_by_level as d
  left join {{ ref('int_annual_dropout') }} as c on d.org_code = c.org_code and d.sasid = c.sasid
)

{{ records_by_group('listed', ref('int_student_groups_prior')) }}
