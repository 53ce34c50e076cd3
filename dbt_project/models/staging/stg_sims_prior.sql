select * from {{ prior_snapshot('sims') }}
