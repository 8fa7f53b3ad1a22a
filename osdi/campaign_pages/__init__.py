"""Public campaign pages: their settings, their form, and the steps after it.

Imports: documents, errors, exporting, fields, ids, resources, retry, store, values.
"""
