"""TODO: osdi/messages."""
