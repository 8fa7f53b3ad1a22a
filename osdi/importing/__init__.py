"""Import: people and outreaches from CSV, NDJSON and other OSDI servers.

An import reads liberally and then does for each row what a POST with a token would do. Rejected rows are written to a
file with the reason.

Imports: access, crud, documents, errors, exporting, fields, http_client, ids, log, match_keys, outreaches, people,
privacy, resources, retry, settings, store, suppression, values, version.
"""
