"""TODO: schemas/operations."""
