"""TODO: osdi/outreaches."""
