select * from {{ snapshot('organisations') }}
