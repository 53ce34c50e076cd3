-- Students of grades 9 to 12 on October 1 of the year before; met: the dropouts of that year left a school of that place.
with enrolled as (
  select sasid, school_code
  from {{ ref('stg_sims_prior') }}
  where collection_period = 'october_1' and {{ gradespan('grade') }} = 'high'
),

enrolled_by_level as (
  select distinct org_code, sasid
  from (
    {{ levels('enrolled', ['sasid']) }}
  ) as everywhere
),

left_by_level as (
  {{ levels(ref('stg_dropouts'), ['sasid']) }}
)

select e.org_code, 'high' as gradespan, e.sasid, d.sasid is not null as is_met
from enrolled_by_level as e
left join left_by_level as d on e.sasid = d.sasid and e.org_code = d.org_code
