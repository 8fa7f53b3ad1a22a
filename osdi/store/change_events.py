"""What webhooks are told of: an outreach that was recorded, a person who was created, changed or unsubscribed.

Pure.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from osdi.fields.webhook import AT_A_VERSION, OUTREACH_RECORDED, PERSON_CREATED, PERSON_UPDATED
from osdi.resources import OUTREACH, PERSON

# By collection what it means that a document was inserted, or updated.
INSERTED: Final[Mapping[str, str]] = {OUTREACH.collection: OUTREACH_RECORDED, PERSON.collection: PERSON_CREATED}
UPDATED: Final[Mapping[str, str]] = {PERSON.collection: PERSON_UPDATED}


def entries_for(
    events: Sequence[str], version: int, webhooks_of: Mapping[str, Sequence[str]]
) -> list[dict[str, str | int]]:
    """What a document notes of what happened to it, for each webhook to be told: `{webhook_id, event, version?}`.

    `webhooks_of` has the ids of webhooks by event.
    """
    return [
        {"webhook_id": webhook_id, "event": event, **({"version": version} if event in AT_A_VERSION else {})}
        for event in events
        for webhook_id in webhooks_of.get(event, ())
    ]
