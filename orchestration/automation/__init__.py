"""Starting the pipeline: jobs, the annual run, sensors and schedules, and what holds a home while a run writes."""
