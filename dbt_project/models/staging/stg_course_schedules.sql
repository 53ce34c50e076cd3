select * from {{ snapshot('course_schedules') }}
