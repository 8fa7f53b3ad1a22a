"""TODO: osdi/action_functions."""
