"""TODO: osdi/exporting."""
