select * from {{ hub_snapshot('hub_graduation_rates', 'extended_engagement') }}
