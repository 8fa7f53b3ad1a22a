"""TODO: blueprints/http."""
