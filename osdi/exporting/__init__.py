"""Export: people and outreaches as CSV and NDJSON, for downloads and for the command line.

A cell that a spreadsheet would execute as a formula is made harmless.

Imports: crud, documents, errors, fields, hal, match_keys, odata, resources, retry, store.
"""
