"""TODO: osdi/crud."""
