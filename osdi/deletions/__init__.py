"""Deletions that other systems learn of (GDPR, article 19): their records, and the feed of them.

Imports: documents, errors, fields, ids, resources, store.
"""
