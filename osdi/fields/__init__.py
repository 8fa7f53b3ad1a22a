"""Definitions of the fields: one table for each resource of the standard.

The tables are the source of schemas, filters, CSV columns, merge rules and documentation, so a field is added in one
place (decision 0025). `definition.py` has the types, `limits.py` the limits.

Imports: nothing of osdi.
"""
