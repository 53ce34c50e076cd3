select * from {{ snapshot('hub_mcas_achievement') }}
