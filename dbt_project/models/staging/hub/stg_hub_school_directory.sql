select * from {{ snapshot('hub_school_directory') }}
