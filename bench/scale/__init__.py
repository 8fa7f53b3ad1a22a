"""Measures how times and memory change as the database grows: `make bench-scale`."""
