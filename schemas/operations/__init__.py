"""Schemas of the routes beside OSDI, in our namespace."""
