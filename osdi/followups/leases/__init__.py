"""Leases of follow-ups: a worker leases a batch, reads each of it again right before it sends it, and marks the result.

A batch saves commands of the database. It decides nothing: consent is read at the time of sending, one by one.

Imports: action_functions, documents, ids, resources, store.
"""
