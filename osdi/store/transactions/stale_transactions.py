"""Ends transactions of a process that was killed: the server would keep their locks for a minute.

A process whose transaction conflicts with another one looks, at most once a second, for transactions that have been
idle for long, and ends them; then it retries as after any conflict. To end one that was only slow does no harm: its
process retries too.

https://www.mongodb.com/docs/manual/reference/operator/aggregation/currentOp/ and `killSessions`: both need no
privilege for sessions of one's own user. On a server without them the locks stay until its
`transactionLifetimeLimitSeconds`.
"""

import time
from contextlib import suppress
from typing import Any, Final

from pymongo import MongoClient, timeout
from pymongo.errors import PyMongoError

APP_NAME: Final = "osdi"
WRITE_CONFLICT: Final = 112

# Two operations of one of our transactions are milliseconds apart.
INACTIVE_SECONDS: Final = 1.5
LOOK_SECONDS: Final = 1.0
ASK_SECONDS: Final = 2.0


class StaleTransactions:
    """Ends stale transactions for one process, which looks for them at most once in LOOK_SECONDS."""

    def __init__(self) -> None:
        self._next_look = 0.0

    def end_where_in_the_way(self, client: MongoClient[dict[str, Any]], error: Exception) -> None:
        """Ends stale transactions if this error of a transaction is a conflict with another one."""
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
        # Errors are ignored: the retry meets them too.
        with suppress(PyMongoError), timeout(ASK_SECONDS):
            sessions = [{"id": found["lsid"]["id"]} for found in client.admin.aggregate(pipeline)]
            if sessions:
                client.admin.command("killSessions", sessions)
