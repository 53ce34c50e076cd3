select * from {{ snapshot('graduation_cohorts') }}
