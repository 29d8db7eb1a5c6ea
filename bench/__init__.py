"""Figures measured, never asserted: `make bench` prints them as a table."""
