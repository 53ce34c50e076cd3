select * from {{ snapshot('hub_attendance') }}
