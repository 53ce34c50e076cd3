-- Points of a score on the legacy scale: from `lower` to below `upper` (null: no end).
with bounds as (
  select cast(parameter as integer) as lower_bound, cast(value as integer) as points
  from ({{ policy_rows('cpi_legacy_score') }}) as policy_row
)

select
  lower_bound,
  lead(lower_bound) over (order by lower_bound) as upper_bound,
  points
from bounds
