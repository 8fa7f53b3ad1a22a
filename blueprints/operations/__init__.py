"""TODO: blueprints/operations."""
