"""TODO: osdi/backup."""
