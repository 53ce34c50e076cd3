"""Releases: tables that passed every gate, with what they were made from; public variant, differences, audit bundle."""
