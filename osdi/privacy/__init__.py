"""TODO: osdi/privacy."""
