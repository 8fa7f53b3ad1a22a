"""The application with a feed that shows deletions after two seconds, for processes of tests: `quick_feed:app`."""

import datetime as dt

from app import create_app
from osdi.deletions import feed

SETTLED_SECONDS = 2.0

feed.SETTLED = dt.timedelta(seconds=SETTLED_SECONDS)  # type: ignore[misc]
app = create_app()
