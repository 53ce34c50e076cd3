"""Gates between the rooms: suites of expectations over tables, validated by Great Expectations; critical ones stop a run."""
