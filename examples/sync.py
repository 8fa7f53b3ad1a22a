"""Keeps a copy of the people and outreaches of an OSDI server in an SQLite file (see docs/syncing.md).

    OSDI_TOKEN=osdi_... python3 sync.py https://osdi.example.org/api/v1 copy.sqlite [--full]

Run it again for what has changed or was deleted since. It needs Python 3.11, and nothing else. Each table has the
server's own identifier and the resource as JSON. `--full` makes a full copy; use it after a restore of the server.
"""

import argparse
import json
import os
import sqlite3
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

# A request sets `modified_date` before its transaction ends: what was missed then is asked for again.
OVERLAP = timedelta(minutes=2)
SECONDS = 60
ATTEMPTS = 8
COPIED = {"people": "osdi:people", "outreaches": "osdi:outreaches"}
PERSON_EVENTS = ("person_deleted", "person_merged", "person_erased")

Json = dict[str, Any]
# Returns the status, the time of the server, and the body of the response to a GET.
Get = Callable[[str], tuple[int, datetime, Json]]


class Failed(Exception):
    """The server has rejected a request, or does not respond."""


def http_get(token: str) -> Get:
    """Returns a function that reads an address with this token, and waits if the server asks it to."""

    def get(address: str) -> tuple[int, datetime, Json]:
        request = urllib.request.Request(address, headers={"OSDI-API-Token": token})  # noqa: S310
        for attempt in range(ATTEMPTS):
            try:
                with urllib.request.urlopen(request, timeout=SECONDS) as response:  # noqa: S310
                    return response.status, parsedate_to_datetime(response.headers["Date"]), json.load(response)
            except urllib.error.HTTPError as error:
                if error.code == 410:
                    return error.code, parsedate_to_datetime(error.headers["Date"]), {}
                if error.code not in (429, 502, 503, 504):
                    raise Failed(f"{address} responded with {error.code}.") from error
                wait = error.headers.get("Retry-After", "")
                pause = int(wait) if wait.isdigit() else 2**attempt
            except OSError:  # no connection, or a time-out
                pause = 2**attempt
            time.sleep(min(pause, SECONDS))
        raise Failed(f"{address} does not respond.")

    return get


class Copy:
    """A copy in an SQLite database. `sync` makes it equal to the server; an interrupted one is repeated by the next."""

    def __init__(self, api: str, database: sqlite3.Connection, get: Get) -> None:
        self._api = api.rstrip("/")
        self._database = database
        self._get = get
        for table in COPIED:
            database.execute(
                f"CREATE TABLE IF NOT EXISTS {table} (id TEXT PRIMARY KEY, resource TEXT, campaign TEXT, run INTEGER)"
            )
        database.execute("CREATE INDEX IF NOT EXISTS by_campaign ON outreaches (campaign)")
        database.execute("CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT)")
        database.commit()

    def sync(self, *, full: bool = False) -> None:
        """Copies what has changed and removes what was deleted; a full copy is made at first and after 90 days."""
        if full or not self._state("cursor") or not self._changes_and_deletions():
            self._full_copy()

    def _full_copy(self) -> None:
        """Copies everything, and removes what the server does not have."""
        run = int(self._state("run") or 0) + 1
        self._set(run=str(run))
        _, began, _ = self._get(f"{self._api}/")
        _, _, page = self._get(self._address("deletions", since=(began - OVERLAP).isoformat()))
        for table in COPIED:
            self._copy(table, run)
        for table in COPIED:
            self._database.execute(f"DELETE FROM {table} WHERE run < ?", (run,))  # noqa: S608
        self._set(cursor=page["cursor"], since=began.isoformat())

    def _changes_and_deletions(self) -> bool:
        """Copies changes, then removes what was deleted; returns False if the server has no deletions since then."""
        _, began, _ = self._get(f"{self._api}/")
        since = datetime.fromisoformat(self._state("since")) - OVERLAP
        run = int(self._state("run"))
        for table in COPIED:
            self._copy(table, run, filter=f"modified_date ge '{since.isoformat()}'")
        if not self._remove_deleted():
            return False
        self._set(since=began.isoformat())
        return True

    def _copy(self, table: str, run: int, **arguments: str) -> None:
        for page in self._pages(self._address(table, **arguments)):
            rows = [
                (each["identifiers"][0], json.dumps(each), _id(each, "osdi:advocacy_campaign"), run)
                for each in page["_embedded"][COPIED[table]]
            ]
            self._database.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?)", rows)  # noqa: S608
            self._database.commit()

    def _remove_deleted(self) -> bool:
        address = self._address("deletions", after=self._state("cursor"))
        while address:
            status, _, page = self._get(address)
            if status == 410:
                return False
            for deletion in page["deletions"]:
                self._remove(deletion)
            self._set(cursor=page["cursor"])
            address = _href(page, "next")
        return True

    def _remove(self, deletion: Json) -> None:
        """Removes what a record names. An event that this script does not know removes nothing."""
        rows = [(each,) for each in deletion["identifiers"]]
        if deletion["event"] in PERSON_EVENTS:
            self._database.executemany("DELETE FROM people WHERE id = ?", rows)
        elif deletion["event"] == "outreach_deleted":
            self._database.executemany("DELETE FROM outreaches WHERE id = ?", rows)
        elif deletion["event"] == "advocacy_campaign_deleted":
            campaign = (_id(deletion, "osdi:advocacy_campaign"),)
            self._database.execute("DELETE FROM outreaches WHERE campaign = ?", campaign)

    def _pages(self, address: str) -> Iterator[Json]:
        while address:
            _, _, page = self._get(address)
            yield page
            address = _href(page, "next")

    def _address(self, path: str, **arguments: str) -> str:
        return f"{self._api}/{path}?{urllib.parse.urlencode({'per_page': '100', **arguments})}"

    def _state(self, name: str) -> str:
        found = self._database.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else ""

    def _set(self, **values: str) -> None:
        """Stores these values, in one transaction with what was removed and copied before."""
        self._database.executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", list(values.items()))
        self._database.commit()


def _href(resource: Json, relation: str) -> str:
    return str(resource["_links"].get(relation, {}).get("href", ""))


def _id(resource: Json, relation: str) -> str:
    """Returns the id at the end of a link, whose beginning may change."""
    return _href(resource, relation).rsplit("/", 1)[-1]


def main() -> None:
    """Reads the arguments and makes the copy equal to the server."""
    parser = argparse.ArgumentParser(description="Keep a copy of an OSDI server in an SQLite file.")
    parser.add_argument("api", help="The API entry point: https://.../api/v1")
    parser.add_argument("file", help="The SQLite file.")
    parser.add_argument("--full", action="store_true", help="Make a full copy, for example after a restore.")
    arguments = parser.parse_args()
    token = os.environ.get("OSDI_TOKEN", "")
    if not token:
        parser.error("Set OSDI_TOKEN to a token with the scope read.")
    database = sqlite3.connect(arguments.file)
    try:
        Copy(arguments.api, database, http_get(token)).sync(full=arguments.full)
    except Failed as error:
        parser.exit(1, f"{error}\n")
    finally:
        database.close()


if __name__ == "__main__":
    main()
