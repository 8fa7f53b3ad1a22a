"""TODO: osdi/mail."""
