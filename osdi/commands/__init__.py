"""TODO: osdi/commands."""
