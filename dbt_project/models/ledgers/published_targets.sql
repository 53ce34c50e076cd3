select * from {{ snapshot('published_targets') }}
