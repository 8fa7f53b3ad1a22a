"""Privacy (GDPR): exporting, anonymising and erasing one person, tombstones, and retention of messages.

A tombstone is the hash of a contact detail of an erased person; it keeps imports from bringing the person back.

Imports: access, action_functions, crud, deletions, documents, errors, etags, fields, hal, ids, log, match_keys,
outreaches, people, resources, retry, settings, statistics, store, suppression.
"""
