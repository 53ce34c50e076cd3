select * from {{ hub_snapshot('hub_dropout', 'annual_dropout') }}
