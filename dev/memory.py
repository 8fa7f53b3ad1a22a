"""WSGI application with an in-memory database, for machines without a packaged mongod. Its data is lost at the end.

It creates the sample data, a token and a sign-in link itself, because no other process can reach its memory.
"""

import os

from app import create_app
from blueprints.http.context import EXTENSION, Deployment
from osdi.access.tokens import stored_token
from osdi.ids import now
from osdi.sample import create_sample
from osdi.staff.links import new_link
from osdi.staff.members import add_member
from osdi.store import Insert
from osdi.store.indexes import TOKENS

app = create_app()

_deployment: Deployment = app.extensions[EXTENSION]
create_sample(_deployment.store, _deployment.settings.namespace)
_deployment.store.write(Insert(TOKENS, stored_token("make run", os.environ["SAMPLE_TOKEN"])))
new_link(
    _deployment.store,
    add_member(_deployment.store, "ada@example.org", name="Ada"),
    now(),
    os.environ["SAMPLE_STAFF_SECRET"],
)
