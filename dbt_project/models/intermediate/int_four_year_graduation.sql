-- Students of the four-year cohort of the year before; met: graduated.
{{ cohort_outcome(4, 1, ['graduated']) }}
