"""Gates between the rooms: suites of expectations, judged by Great Expectations; critical ones stop a run."""
