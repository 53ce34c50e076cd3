-- Students of the five-year cohort of two years before; met: graduated, or still enrolled.
{{ cohort_outcome(5, 2, ['graduated', 'still_enrolled']) }}
