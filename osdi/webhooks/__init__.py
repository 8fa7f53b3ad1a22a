"""TODO: osdi/webhooks."""
