"""The specification: domain (pure rules), contract (the store), http (the API), processes (gunicorn), browser."""
