"""Explaining a release: the trace of one organisation as a tree, down to rules and records. Recomputes nothing."""
