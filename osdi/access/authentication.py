"""TODO: osdi/access/authentication.py."""

import datetime as dt

MINUTE = dt.timedelta(minutes=1)
