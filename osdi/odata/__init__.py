"""TODO: osdi/odata."""
