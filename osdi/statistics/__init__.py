"""Statistics of a campaign: outreaches and people per day, by type, source, target and referrer.

A rollup is the stored count of one day. A change of an outreach invalidates the rollup of its day.

Imports: documents, errors, ids, resources, store.
"""
