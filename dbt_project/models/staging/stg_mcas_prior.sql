select * from {{ prior_snapshot('mcas') }}
