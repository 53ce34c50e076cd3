select * from {{ snapshot('hub_enrollment') }}
