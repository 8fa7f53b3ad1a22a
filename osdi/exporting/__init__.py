"""Export: people, outreaches and other resources as CSV and NDJSON, for downloads and the command line.

Cells that a spreadsheet would execute as a formula are escaped.

Imports: crud, documents, errors, fields, hal, match_keys, odata, people, resources, retry, store, values.
"""
