"""Backup and restore: one compressed file of every collection, checked before anything is written from it.

`archive` is the file format, `dump_store` reads and writes whole collections, `backup` does both in order.

Imports: access, action_functions, crud, documents, errors, ids, match_keys, operations, people, privacy, resources,
retry, store, suppression.
"""
