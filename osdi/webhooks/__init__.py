"""Webhooks: who subscribes to which event, and delivery of events by a worker, signed, at least once.

An event is stored by the same write as the change that it reports (`osdi.store.change_events`).

Imports: documents, errors, etags, hal, http_client, ids, log, resources, retry, settings, store.
"""
