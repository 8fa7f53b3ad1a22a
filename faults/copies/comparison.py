"""Compares a copy of examples/sync.py with the server, resource by resource."""

import json
import sqlite3
from pathlib import Path
from typing import Any, Final

from faults.load import Client
from osdi.resources import API

COPIED: Final = {"people": "osdi:people", "outreaches": "osdi:outreaches"}

Resources = dict[str, dict[str, Any]]


def on_server(port: int, token: str) -> Resources:
    """Returns all people and outreaches by their own identifiers. Raises RuntimeError."""
    client, found = Client(port), Resources()
    for table, relation in COPIED.items():
        found[table], path = {}, f"{API}/{table}?per_page=100"
        while path:
            response = client.request("GET", path, b"", {"OSDI-API-Token": token})
            if response.outcome != "200":
                raise RuntimeError(f"GET {path} got {response.outcome}")
            page = json.loads(response.body)
            found[table] |= {each["identifiers"][0]: each for each in page["_embedded"][relation]}
            link = page["_links"].get("next", {}).get("href", "")
            path = API + link.split(API, 1)[1] if link else ""
    client.close()
    return found


def in_copy(file: Path) -> Resources:
    """Returns the same of a copy."""
    database = sqlite3.connect(file)
    try:
        rows = {table: database.execute(f"SELECT id, resource FROM {table}").fetchall() for table in COPIED}
    finally:
        database.close()
    return {table: {row[0]: json.loads(row[1]) for row in found} for table, found in rows.items()}


def differences(server: Resources, copy: Resources) -> list[str]:
    """Returns a sentence for each resource that is missing in the copy, too much in it, or another."""
    found = []
    for table in COPIED:
        there, here = server[table], copy[table]
        found += [f"{each} is missing in the copy" for each in sorted(there.keys() - here.keys())]
        found += [f"{each} is in the copy and not on the server" for each in sorted(here.keys() - there.keys())]
        found += [f"{each} differs" for each in sorted(there.keys() & here.keys()) if there[each] != here[each]]
    return found
