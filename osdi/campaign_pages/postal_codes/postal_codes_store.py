"""Stores tables of postal codes, and looks codes up.

A campaign has a document with its own id that names the table in use, and one document for each prefix of a table. An
upload inserts a new table and then makes it the one in use. It deletes other tables before, so the table that was in
use stays until the next upload: a reader that began before the change finds that one whole.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from osdi.campaign_pages.postal_codes.table import EVERY_OTHER, Found, Table, best, prefixes
from osdi.documents import Document
from osdi.errors import WriteConflict, conflict
from osdi.ids import new_id, now
from osdi.retry import retry_on_conflict
from osdi.store import Delete, Insert, Store, Update
from osdi.store.indexes import POSTAL_CODES

BATCH: Final = 1_000
# Uploads take longer than a look-up, so the second attempt is nearly always the last.
MAX_ATTEMPTS: Final = 5


def look_up(store: Store, campaign_id: str, code: str) -> Found:
    """Returns the keys of the targets that a postal code leads to. Raises OsdiError 503."""
    # The document that names the table has no prefix. The index has it first, so it is read before the entries.
    wanted = [None, EVERY_OTHER, *prefixes(code)]
    for _ in range(MAX_ATTEMPTS):
        found = store.find(POSTAL_CODES, {"advocacy_campaign_id": campaign_id, "prefix": {"$in": wanted}})
        in_use = next((each.get("table") for each in found if "prefix" not in each), None)
        # If two uploads have ended between two reads of the query, entries of the table are missing.
        if in_use is None or in_use == (store.get(POSTAL_CODES, campaign_id) or {}).get("table"):
            break
    return best(
        code, {each["prefix"]: each["targets"] for each in found if "prefix" in each and each["table"] == in_use}
    )


def has_table(store: Store, campaign_id: str) -> bool:
    """True if the campaign has a table. Raises OsdiError 503."""
    return "table" in (store.get(POSTAL_CODES, campaign_id) or {})


def table_in_use(store: Store, campaign_id: str) -> Table:
    """Returns the table of the campaign, which is empty if there is none. Raises OsdiError 503."""
    table = Table()
    head = store.get(POSTAL_CODES, campaign_id)
    if head is None or "table" not in head:
        return table
    for each in store.find(POSTAL_CODES, _entries_of(campaign_id), sort=("prefix",)):
        if each["table"] == head["table"]:
            table.targets[each["prefix"]] = each["targets"]
            table.codes[each["prefix"]] = each["postal_code"]
            table.lines += len(each["targets"])
    return table


def entries(store: Store, campaign_id: str) -> list[tuple[str, list[str]]]:
    """Returns each code of the table in use as it was written, with the keys of its targets. Raises OsdiError 503."""
    table = table_in_use(store, campaign_id)
    return [(table.codes[prefix], targets) for prefix, targets in table.targets.items()]


def replace_table(store: Store, campaign_id: str, table: Table) -> None:
    """Makes this the table of the campaign.

    Raises OsdiError 409 if another upload for the campaign has begun since, or the table was deleted; 503.
    """
    table_id = new_id()
    head = retry_on_conflict(lambda: _announce(store, campaign_id, table_id))
    kept = [each for each in (table_id, head.get("table")) if each]
    store.delete_many(POSTAL_CODES, _entries_of(campaign_id) | {"table": {"$nin": kept}})
    documents = _documents(campaign_id, table_id, table)
    while batch := list(islice(documents, BATCH)):
        _insert(store, batch)
    used = {"table": table_id, "modified_date": now()}
    try:
        store.write(Update(POSTAL_CODES, campaign_id, head["version"], used, gone=("next",)))
    except WriteConflict:
        store.delete_many(POSTAL_CODES, _entries_of(campaign_id) | {"table": table_id})
        message = "Another upload for this campaign has begun meanwhile, or its table was deleted."
        raise conflict("CONFLICT", message) from None


def delete_table(store: Store, campaign_id: str) -> None:
    """Deletes the campaign's table, if it has one. Raises OsdiError 503."""

    def attempt() -> None:
        head = store.get(POSTAL_CODES, campaign_id)
        if head is not None:
            store.write(Delete(POSTAL_CODES, campaign_id, head["version"]))

    retry_on_conflict(attempt)
    store.delete_many(POSTAL_CODES, _entries_of(campaign_id))


def _announce(store: Store, campaign_id: str, table_id: str) -> Document:
    """Writes the table that is being uploaded into the campaign's document, and returns it. Raises WriteConflict."""
    head = store.get(POSTAL_CODES, campaign_id)
    if head is None:
        head = {"_id": campaign_id, "advocacy_campaign_id": campaign_id, "version": 1, "next": table_id}
        store.write(Insert(POSTAL_CODES, head))
        return head
    store.write(Update(POSTAL_CODES, campaign_id, head["version"], {"next": table_id}))
    return {**head, "version": head["version"] + 1}


def _entries_of(campaign_id: str) -> Document:
    """Returns the query of all entries of a campaign, whatever their table."""
    return {"advocacy_campaign_id": campaign_id, "prefix": {"$exists": True}}


def _documents(campaign_id: str, table_id: str, table: Table) -> Iterator[Document]:
    for prefix, targets in table.targets.items():
        yield {
            "_id": f"{table_id} {prefix}",
            "advocacy_campaign_id": campaign_id,
            "table": table_id,
            "prefix": prefix,
            "postal_code": table.codes[prefix],
            "targets": targets,
        }


def _insert(store: Store, documents: Sequence[Document]) -> None:
    with store.operation():
        store.collection(POSTAL_CODES).insert_many(documents)
