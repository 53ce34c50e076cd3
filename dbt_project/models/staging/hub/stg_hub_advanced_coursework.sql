select * from {{ snapshot('hub_advanced_coursework') }}
