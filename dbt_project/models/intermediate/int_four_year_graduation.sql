-- Students of the four-year cohort; met: graduated.
{{ cohort_outcome(4, ['graduated']) }}
