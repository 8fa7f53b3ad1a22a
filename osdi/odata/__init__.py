"""OData filters: `parser` reads the text, `fields` says which fields exist, `query` makes a MongoDB query.

Imports: errors, fields, match_keys, resources, values.
"""
