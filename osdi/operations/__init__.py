"""TODO: osdi/operations."""
