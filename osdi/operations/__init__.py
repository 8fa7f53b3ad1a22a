"""Operation of the service: migrations, readiness, metrics, the worker process's loop and the gunicorn worker.

Imports: action_functions, documents, errors, fields, ids, log, match_keys, people, resources, retry, settings, store,
suppression, webhooks.
"""
