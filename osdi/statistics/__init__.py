"""Statistics of a campaign: outreaches and people per day, by type, source, target and referrer.

A rollup is the stored count of one day. A change of an outreach invalidates the rollup of its day. The worker counts
ahead of readers.

Imports: documents, errors, fields, ids, resources, store.
"""
