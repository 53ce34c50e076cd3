select * from {{ snapshot('assistance_plans') }}
