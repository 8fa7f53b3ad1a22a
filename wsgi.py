"""WSGI entry point for gunicorn and the flask command: the application with the settings of the environment."""

from app import create_app

app = create_app()
