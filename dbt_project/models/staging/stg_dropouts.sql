select * from {{ snapshot('dropouts') }}
