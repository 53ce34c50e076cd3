select * from {{ snapshot('sims') }}
