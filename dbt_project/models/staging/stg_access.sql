select * from {{ snapshot('access') }}
