"""TODO: osdi/people."""
