"""The writes of a store, and the events that each of them has for webhooks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from osdi.documents import Document
from osdi.store.change_events import UPDATED, entries_for, events_of_insert

# The array of a document that holds its events until webhooks have received them (see osdi.webhooks.event_store).
WEBHOOK_EVENTS: Final = "webhook_events"
# The array of events that a receiver rejected for good: `{webhook_id, event, version?, reason, date}`.
WEBHOOK_REJECTIONS: Final = "webhook_rejections"


@dataclass(frozen=True)
class Insert:
    """Inserts a new document."""

    collection: str
    document: Document

    @property
    def document_id(self) -> str:
        found: str = self.document["_id"]
        return found


@dataclass(frozen=True)
class Update:
    """Sets and removes (`gone`) fields of a document if it still has this version, which it raises.

    `events` are those besides the one of any update in the collection; `event_entries` are those for WEBHOOK_EVENTS.
    """

    collection: str
    document_id: str
    version: int
    fields: Document
    gone: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    event_entries: tuple[Mapping[str, Any], ...] = ()

    def operators(self) -> Document:
        """Returns the update document of MongoDB; repeated after a lost reply it has the same effect."""
        operators: Document = {"$set": {**self.fields, "version": self.version + 1}}
        if self.gone:
            operators["$unset"] = dict.fromkeys(self.gone, "")
        if self.event_entries:
            operators["$addToSet"] = {WEBHOOK_EVENTS: {"$each": list(self.event_entries)}}
        return operators


@dataclass(frozen=True)
class Delete:
    """Deletes a document if it still has this version."""

    collection: str
    document_id: str
    version: int


@dataclass(frozen=True)
class Replace:
    """Stores a document in place of the one with its id, if there is one."""

    collection: str
    document: Document

    @property
    def document_id(self) -> str:
        found: str = self.document["_id"]
        return found


Write = Insert | Update | Delete | Replace


def with_events(write: Write, webhooks_of: Mapping[str, Sequence[str]]) -> Write:
    """Returns the write with the document's events for each webhook in it: one atomic write stores both."""
    if isinstance(write, Delete | Replace) or not webhooks_of:
        return write
    if isinstance(write, Insert):
        events = events_of_insert(write.collection, write.document)
        event_entries = entries_for(events, write.document.get("version", 1), webhooks_of)
        return replace(write, document={**write.document, WEBHOOK_EVENTS: event_entries}) if event_entries else write
    events = [UPDATED[write.collection]] if write.collection in UPDATED else []
    event_entries = entries_for([*events, *write.events], write.version + 1, webhooks_of)
    return replace(write, event_entries=tuple(event_entries)) if event_entries else write
