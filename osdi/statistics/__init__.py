"""TODO: osdi/statistics."""
