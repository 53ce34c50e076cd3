select * from {{ snapshot('hub_access_reporting') }}
