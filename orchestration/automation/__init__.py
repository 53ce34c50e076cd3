"""Starting the pipeline: jobs, and running a year in this process. Later: sensors and schedules."""
