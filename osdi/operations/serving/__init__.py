"""The gunicorn worker: it collects each request before a thread works on it, and rejects what is not valid HTTP.

Imports: errors.
"""
