"""Fields, limits and base classes that every schema uses."""
