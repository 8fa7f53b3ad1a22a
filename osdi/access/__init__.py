"""TODO: osdi/access."""
