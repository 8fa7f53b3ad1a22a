"""The writes that the store does, alone or several together, and what webhooks are to be told of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from osdi.documents import Document
from osdi.store.change_events import INSERTED, UPDATED, entries_for

# The array of a document in which stands what webhooks have not been told of it yet (see webhook_events).
WEBHOOK_EVENTS: Final = "webhook_events"


@dataclass(frozen=True)
class Insert:
    """Write a new document."""

    collection: str
    document: Document

    @property
    def document_id(self) -> str:
        found: str = self.document["_id"]
        return found


@dataclass(frozen=True)
class Update:
    """Set and remove fields of a document on the condition that it still has this version.

    `events` are those besides what an update of the collection means; `noted` what is added to WEBHOOK_EVENTS.
    """

    collection: str
    document_id: str
    version: int
    fields: Document
    gone: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    noted: tuple[Mapping[str, Any], ...] = ()

    def operators(self) -> Document:
        """The update document of MongoDB; repeated after a lost reply it still means the same."""
        operators: Document = {"$set": {**self.fields, "version": self.version + 1}}
        if self.gone:
            operators["$unset"] = dict.fromkeys(self.gone, "")
        if self.noted:
            operators["$addToSet"] = {WEBHOOK_EVENTS: {"$each": list(self.noted)}}
        return operators


@dataclass(frozen=True)
class Delete:
    """Delete a document on the condition that it still has this version."""

    collection: str
    document_id: str
    version: int


@dataclass(frozen=True)
class Replace:
    """Write a document in the place of the one with its id, if there is one."""

    collection: str
    document: Document

    @property
    def document_id(self) -> str:
        found: str = self.document["_id"]
        return found


Write = Insert | Update | Delete | Replace


def with_events(write: Write, webhooks_of: Mapping[str, Sequence[str]]) -> Write:
    """The write, with which the document notes for each webhook what it is to be told: one atomic write for both."""
    if isinstance(write, Delete | Replace) or not webhooks_of:
        return write
    names = INSERTED if isinstance(write, Insert) else UPDATED
    events = [names[write.collection]] if write.collection in names else []
    if isinstance(write, Insert):
        noted = entries_for(events, write.document.get("version", 1), webhooks_of)
        return replace(write, document={**write.document, WEBHOOK_EVENTS: noted}) if noted else write
    noted = entries_for([*events, *write.events], write.version + 1, webhooks_of)
    return replace(write, noted=tuple(noted)) if noted else write
