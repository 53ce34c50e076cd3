select * from {{ snapshot('recognitions') }}
