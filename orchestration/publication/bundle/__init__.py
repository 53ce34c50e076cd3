"""The audit bundle of a release: one archive that an outsider can check with Python alone."""
