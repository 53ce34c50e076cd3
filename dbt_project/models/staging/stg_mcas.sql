select * from {{ snapshot('mcas') }}
