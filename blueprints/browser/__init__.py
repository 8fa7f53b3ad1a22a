"""TODO: blueprints/browser."""
