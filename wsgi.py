"""What gunicorn and the flask command load: the application as the environment describes it."""

from app import create_app

app = create_app()
