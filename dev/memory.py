"""WSGI application with an in-memory database, for machines without a packaged mongod. Its data is lost at the end.

It creates the sample data and a token itself, because no other process can reach its memory.
"""

import os

from app import create_app
from blueprints.http.context import EXTENSION, Deployment
from osdi.access.tokens import stored_token
from osdi.sample import create_sample
from osdi.store import Insert
from osdi.store.indexes import TOKENS

app = create_app()

_deployment: Deployment = app.extensions[EXTENSION]
create_sample(_deployment.store, _deployment.settings.namespace)
_deployment.store.write(Insert(TOKENS, stored_token("make run", os.environ["SAMPLE_TOKEN"])))
