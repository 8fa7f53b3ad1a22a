"""TODO: schemas/base."""
