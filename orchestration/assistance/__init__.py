"""Assistance: who is eligible, in which region, with which Lead, how evenly, with which plan."""
