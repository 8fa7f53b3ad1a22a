"""Names of the events that a webhook can subscribe to."""

from typing import Final

OUTREACH_RECORDED: Final = "outreach_recorded"
PERSON_CREATED: Final = "person_created"
PERSON_UPDATED: Final = "person_updated"
UNSUBSCRIBED: Final = "unsubscribed"
EVENTS: Final = (OUTREACH_RECORDED, PERSON_CREATED, PERSON_UPDATED, UNSUBSCRIBED)
