-- Students of the five-year cohort; met: graduated, or still enrolled.
{{ cohort_outcome(5, ['graduated', 'still_enrolled']) }}
