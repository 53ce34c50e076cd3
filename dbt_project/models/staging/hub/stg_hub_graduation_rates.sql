select * from {{ hub_snapshot('hub_graduation_rates', 'four_year_graduation') }}
