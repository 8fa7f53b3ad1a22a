"""TODO: osdi/http_client."""
