select * from {{ snapshot('designations') }}
