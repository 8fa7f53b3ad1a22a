"""Field types and base classes of the schemas."""
