"""Looking over an installation before it is trusted with a year: one check a question, nothing changed."""
