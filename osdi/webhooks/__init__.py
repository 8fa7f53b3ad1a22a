"""Webhooks: subscriptions to events, and their signed delivery by the worker, at least once.

The write that makes a change also stores its event (`osdi.store.change_events`).

Imports: deletions, documents, errors, etags, fields, hal, http_client, ids, log, resources, retry, settings, store.
"""
