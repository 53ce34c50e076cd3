-- Every sims row of a place: the end-of-year rows whose days were added up, then students without one there.
with enrolled as (
  select
    sasid, school_code, {{ gradespan('grade') }} as gradespan, collection_period, days_in_membership, days_in_attendance,
    _delivery, _row
  from {{ ref('stg_sims') }}
),

by_level as (
  {{ levels('enrolled', ['sasid', 'gradespan', 'collection_period', 'days_in_membership', 'days_in_attendance', '_delivery', '_row']) }}
),

attended as (
  select
    *,
    sum(days_in_membership) over student as membership,
    sum(days_in_membership - days_in_attendance) over student as absent,
    count(*) over student as rows_added
  from by_level
  where collection_period = 'end_of_year'
  window student as (partition by org_code, gradespan, sasid)
),

listed as (
  select
    'chronic_absenteeism' as indicator, a.org_code, a.gradespan, a.sasid,
    case
      when c.sasid is not null then 'counted'
      when a.gradespan is null then 'record_gradespan'
      else 'chronic_absenteeism'
    end as outcome,
    case when c.is_met then 1 else 0 end as amount,
    'absent ' || cast(a.days_in_membership - a.days_in_attendance as varchar) || ' of '
    || cast(a.days_in_membership as varchar) || ' days'
    || case
      when a.rows_added > 1 then ', in all ' || cast(a.absent as varchar) || ' of ' || cast(a.membership as varchar)
      else ''
    end as detail,
    a._delivery, a._row
  from attended as a
  left join {{ ref('int_chronic_absenteeism') }} as c
    on a.org_code = c.org_code and a.gradespan = c.gradespan and a.sasid = c.sasid
  union all
  select
    'chronic_absenteeism' as indicator, e.org_code, e.gradespan, e.sasid, 'record_no_end_of_year' as outcome, 0 as amount,
    'only in ' || e.collection_period as detail, e._delivery, e._row
  from by_level as e
  where e.collection_period <> 'end_of_year'
    and not exists (select 1 from attended as a where a.org_code = e.org_code and a.sasid = e.sasid)
)

{{ records_by_group('listed', ref('int_student_groups')) }}
