"""Outreaches: recording one exactly once, recognising a retry, and deleting one.

Imports: access, action_functions, deletions, documents, errors, fields, ids, match_keys, people, resources, retry,
settings, statistics, store, values.
"""
