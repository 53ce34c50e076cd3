select * from {{ prior_snapshot('access') }}
