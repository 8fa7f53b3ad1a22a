"""Transactions whose process was killed: the server keeps their locks for a minute, unless somebody ends them.

Whoever loses a race to another transaction looks, at most once a second, whether it is one that nobody goes on with,
and ends it; the race is then run again as any other. Ending one that was only slow does no harm: its process finds it
gone and runs its race again too.

https://www.mongodb.com/docs/manual/reference/operator/aggregation/currentOp/ and `killSessions`: both need no
privilege for sessions of one's own user. Where a server has them not, the locks stay until its
`transactionLifetimeLimitSeconds`.
"""

import time
from contextlib import suppress
from typing import Any, Final

from pymongo import MongoClient, timeout
from pymongo.errors import PyMongoError

APP_NAME: Final = "osdi"
WRITE_CONFLICT: Final = 112

# Between two operations of a transaction of ours pass milliseconds.
INACTIVE_SECONDS: Final = 1.5
LOOK_SECONDS: Final = 1.0
ASK_SECONDS: Final = 2.0


class StaleTransactions:
    """Ends transactions that nobody goes on with; of one process, which looks at most once in LOOK_SECONDS."""

    def __init__(self) -> None:
        self._next_look = 0.0

    def end_where_in_the_way(self, client: MongoClient[dict[str, Any]], error: Exception) -> None:
        """After this error of a transaction, if it lost to another one."""
        if getattr(error, "code", None) != WRITE_CONFLICT or time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + LOOK_SECONDS
        inactive = {"$gt": int(INACTIVE_SECONDS * 1_000_000)}
        idle = {"type": "idleSession", "appName": APP_NAME, "transaction.timeInactiveMicros": inactive}
        pipeline: list[dict[str, Any]] = [
            {"$currentOp": {"idleSessions": True}},
            {"$match": idle},
            {"$project": {"lsid.id": 1}},
        ]
        # It only helps: what is wrong with the server shows in the race that is run again.
        with suppress(PyMongoError), timeout(ASK_SECONDS):
            sessions = [{"id": found["lsid"]["id"]} for found in client.admin.aggregate(pipeline)]
            if sessions:
                client.admin.command("killSessions", sessions)
