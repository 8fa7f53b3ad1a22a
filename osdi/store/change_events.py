"""The events that webhooks receive: something was recorded, created, updated, unsubscribed or deleted.

Pure.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from osdi.fields.webhook import AT_A_VERSION, OUTREACH_RECORDED, PERSON_CREATED, PERSON_UPDATED
from osdi.resources import DELETION, OUTREACH, PERSON

# By collection: the event of an insert, and that of an update.
INSERTED: Final[Mapping[str, str]] = {OUTREACH.collection: OUTREACH_RECORDED, PERSON.collection: PERSON_CREATED}
UPDATED: Final[Mapping[str, str]] = {PERSON.collection: PERSON_UPDATED}


def events_of_insert(collection: str, document: Mapping[str, Any]) -> list[str]:
    """Returns the event of an insert, if it has one; the record of a deletion names its own."""
    event = document["event"] if collection == DELETION.collection else INSERTED.get(collection)
    return [event] if event else []


def entries_for(
    events: Sequence[str], version: int, webhooks_of: Mapping[str, Sequence[str]]
) -> list[dict[str, str | int]]:
    """Returns the entries that a document stores until they are sent: `{webhook_id, event, version?}` for each webhook.

    `webhooks_of` has the ids of webhooks by event.
    """
    return [
        {"webhook_id": webhook_id, "event": event, **({"version": version} if event in AT_A_VERSION else {})}
        for event in events
        for webhook_id in webhooks_of.get(event, ())
    ]
