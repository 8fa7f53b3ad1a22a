"""Public campaign pages: their settings, their form, and the steps after it.

Imports: documents, errors, exporting, fields, ids, outreaches, resources, retry, store, values.
"""
