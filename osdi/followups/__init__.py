"""TODO: osdi/followups."""
