select * from {{ snapshot('assistance_staff') }}
